"""Text to a tree with positions: YAML 1.2 core, strict and bounded, and every failure a diagnostic."""

import os
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from runner.document.nodes import MAX_DEPTH, PLAIN, compose, too_deep
from runner.document.scalars import SUSPICIOUS, AmbiguousScalarError, NotANumberError, Scalar, read_core
from runner.document.source import decode, read_bytes, size
from runner.document.terms import is_template
from runner.document.tree import Document
from runner.errors import Diagnostic, InvalidDocumentError, Location

MAX_NODES: Final = 20_000
MAX_SCALAR: Final = 64 * 1024
MAX_ALIASES: Final = 100
MAX_FINDINGS: Final = 100


class Dialect(NamedTuple):
    """What plain scalars mean, as keys too, whether `<<` merges, and how large a document may be."""

    read: Callable[[str], Scalar]
    spelt: Callable[[Scalar], str | None] | None = None
    merge: bool = False
    max_nodes: int = MAX_NODES
    max_scalar: int = MAX_SCALAR


CORE: Final = Dialect(read_core)


def read(path: str | os.PathLike[str]) -> Document:
    """The document in the file *path*. InvalidDocumentError with every diagnostic."""
    return parse(read_bytes(path), str(path))


def parse(text: str | bytes, file: str) -> Document:
    """The one YAML document in *text*. InvalidDocumentError with every diagnostic."""
    document, found = parse_all(text, file)
    if found:
        raise InvalidDocumentError(found)
    return document


def parse_all(text: str | bytes, file: str) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The document and what is wrong with its scalars and keys, so that later checks can add to it.

    A scalar that has no meaning is None in the tree. InvalidDocumentError where there is no tree at all.
    """
    clean = decode(text, file)
    roots = compose(clean, file)
    if not roots:
        message, hint = "the file holds no document", "begin with apiVersion: runner/v1"
        raise InvalidDocumentError((Diagnostic("RUN005", message, Location(file), hint=hint),))
    document, found = convert(roots[0], clean, file)
    if len(roots) > 1:
        message, hint = "a second document begins here, one a file is read", "move it to a file of its own"
        found = (*found, document.diagnostic("RUN012", message, document.span(roots[1]), hint=hint))
    return document, found


def convert(
    node: Any, text: str, file: str, dialect: Dialect = CORE
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """A document from libyaml's *node*, and every scalar and key that cannot stand.

    InvalidDocumentError where a limit ends the walk.
    """
    converter = _Converter(Document(file, text, None, node), dialect)
    tree = converter.value(node, 0)
    return Document(file, text, tree, node, frozenset(converter.templated)), tuple(converter.found)


class _Converter:
    """One walk over the nodes: values out, diagnostics aside."""

    def __init__(self, document: Document, dialect: Dialect) -> None:
        self.document = document
        self.dialect = dialect
        self.found: list[Diagnostic] = []
        self.left = dialect.max_nodes
        self.aliases = 0
        self.seen: set[int] = set()
        self.may_alias = "*" in document.text
        self.templates = 0
        self.templated: set[int] = set()

    def value(self, node: Any, depth: int) -> Any:
        """The JSON value of *node*; None where a diagnostic was made."""
        self.left -= 1
        if self.left < 0:
            raise self._stop("RUN010", f"the document has more than {self.dialect.max_nodes} values", node)
        if self.may_alias:
            self._count_alias(node)
        if node.tag and node.tag is not PLAIN:
            self._tag(node)
        if node.id == "scalar":
            return self._scalar(node)
        if depth > MAX_DEPTH:
            raise InvalidDocumentError((too_deep(self.document.span(node)),))
        before = self.templates
        mapping = node.id == "mapping"
        found = self._mapping(node, depth + 1) if mapping else [self.value(i, depth + 1) for i in node.value]
        if self.templates > before:
            self.templated.add(id(found))
        return found

    def _scalar(self, node: Any) -> Scalar:
        text: str = node.value
        if len(text) > self.dialect.max_scalar:
            raise self._stop("RUN010", f"this text is longer than {size(self.dialect.max_scalar)}", node)
        if "{" in text and is_template(text):
            self.templates += 1
        if node.tag is not PLAIN or (text and text[0] not in SUSPICIOUS):
            return text
        try:
            return self.dialect.read(text)
        except AmbiguousScalarError as error:
            self._unread("RUN007", error, node, f'quote it for text: "{text}"')
        except NotANumberError as error:
            self._unread("RUN014", error, node, f'write a finite number, or quote it for text: "{text}"')
        return None

    def _unread(self, code: str, error: Exception, node: Any, hint: str) -> None:
        """Both quote the value, which may be a password."""
        if self.document.quotable:
            self._add(code, str(error), node, hint)
        else:
            self._add(code, "this value can be read in two ways, or in none", node, "quote it for text")

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: list[Any] = []
        for key, value in node.value:
            name = self._key(key, node)
            if name is None:
                continue
            if name == "<<" and key.tag is PLAIN:
                merged.append((key, self.value(value, depth), values.keys() | set()))
                continue
            if name in values:
                self._add("RUN006", f'the key "{name}" is written twice', key, "keep one of the two")
            values[name] = self.value(value, depth)
        return self._merge(values, merged) if merged else values

    def _key(self, key: Any, parent: Any) -> str | None:
        if key.id != "scalar":
            self._no_scalar(key, parent)
            return None
        text: str = key.value
        if "{{" in text:
            self.templates += 1
        if text == "<<" and key.tag is PLAIN:
            return self._merge_key(key)
        if key.tag is not PLAIN or (text and text[0] not in SUSPICIOUS):
            return text
        try:
            name = self.dialect.read(text)
        except (AmbiguousScalarError, NotANumberError) as error:
            self._add("RUN007", str(error), key, f'quote the key: "{text}"')
            return None
        return self._spelt_key(key, name) if self.dialect.spelt else self._text_key(key, name)

    def _text_key(self, key: Any, name: Scalar) -> str | None:
        if isinstance(name, str):
            return name
        self._add("RUN013", f'the key "{key.value}" is not text', key, f'quote the key: "{key.value}"')
        return None

    def _spelt_key(self, key: Any, name: Scalar) -> str | None:
        """The key as it is written, where the dialect's own reader has the same."""
        if self.dialect.spelt and (spelt := self.dialect.spelt(name)) == key.value:
            return spelt
        message = f'kubectl does not read this key as "{key.value}"'
        self._add("RUN007", message, key, f'quote the key: "{key.value}"')
        return None

    def _merge_key(self, key: Any) -> str | None:
        if self.dialect.merge:
            return "<<"
        self._add("RUN009", "a merge is YAML 1.1 and not read here", key, "write the keys out")
        return None

    def _no_scalar(self, key: Any, parent: Any) -> None:
        if key.id == "mapping" and key.flow_style and parent.flow_style:
            text = self.document.text[parent.start_mark.index : parent.end_mark.index]
            message, hint = "a template must be quoted: YAML reads {{ as a mapping", f'write "{text}"'
            self._add("RUN008", message, parent, hint)
        else:
            self._add("RUN013", "a key must be text", key)

    def _merge(self, values: dict[str, Any], merged: list[Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, source, before in merged:
            for mapping in reversed(source) if isinstance(source, list) else [source]:
                if isinstance(mapping, dict):
                    self._merge_order(key, mapping.keys() & before)
                    result.update(mapping)
                else:
                    self._add("RUN009", "a merge takes a mapping or a list of mappings", key)
        return result | values

    def _merge_order(self, key: Any, both: set[str]) -> None:
        """YAML 1.1 keeps what is written out; kubectl keeps what comes last."""
        if both:
            message = f'kubectl lets this merge overwrite "{min(both)}", which is written above it'
            self._add("RUN009", message, key, "put << before the keys that it must not overwrite")

    def _tag(self, node: Any) -> None:
        if node.tag != "tag:yaml.org,2002:str":
            shown = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._add("RUN011", f"the tag {shown} is not read here", node, "leave it out; quote what is text")

    def _count_alias(self, node: Any) -> None:
        if id(node) in self.seen:
            self.aliases += 1
        self.seen.add(id(node))
        if self.aliases > MAX_ALIASES:
            raise self._stop("RUN009", f"the document has more than {MAX_ALIASES} aliases", node)

    def _add(self, code: str, message: str, node: Any, hint: str | None = None) -> None:
        if len(self.found) < MAX_FINDINGS:
            self.found.append(self.document.diagnostic(code, message, self.document.span(node), hint=hint))

    def _stop(self, code: str, message: str, node: Any) -> InvalidDocumentError:
        return InvalidDocumentError((self.document.diagnostic(code, message, self.document.span(node)),))
