"""The Kubernetes objects that the apply stages of a playbook name, as they will be applied."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from runner.document.discretion import discreet
from runner.document.kubernetes_yaml import in_namespace, objects, parse_manifests, shape
from runner.document.places import MAX_FILES, PlaceError, Repository
from runner.document.rendering import Rendering
from runner.document.terms import Context
from runner.document.tree import Document, Path, at
from runner.errors import Diagnostic, InvalidDocumentError, Severity
from runner.foreign import json_of
from runner.secrecy import keep_secret

MAX_OBJECTS: Final = 2_000
TEXT_PARENTS: Final = frozenset(
    {"labels", "annotations", "matchLabels", "nodeSelector", "selector", "data", "args", "command"}
)
TEXT_FIELDS: Final = frozenset({"image", "name", "namespace", "value", "subset", "host", "version"})
APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")

Manifests = Mapping[str, list[dict[str, Any]]]
"""By stage name: every object with the file, relative to the playbook, that it came from."""


class Shelf:
    """Manifest files that were read once; shared by all playbooks of one call."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[Document, ...] | InvalidDocumentError] = {}

    def read(self, repository: Repository, file: str, shown: str) -> tuple[Document, ...]:
        """The documents of *file*. PlaceError, InvalidDocumentError."""
        key = f"{repository.folder}\0{file}"
        if key not in self.documents:
            raw = repository.read(file)
            try:
                self.documents[key] = parse_manifests(raw, shown)
            except InvalidDocumentError as error:
                told = discreet(error.diagnostics, raw.decode("utf-8", "replace"), file)
                self.documents[key] = InvalidDocumentError(told)
        found = self.documents[key]
        if isinstance(found, InvalidDocumentError):
            raise found
        return found


class Gathering:
    """The manifests of one playbook while they are read; *found* grows, and *names*, which templates use."""

    def __init__(
        self,
        document: Document,
        repository: Repository,
        shelf: Shelf,
        context: Context,
        namespace: str,
        *,
        allow_secrets: bool = False,
    ) -> None:
        self.document = document
        self.repository = repository
        self.shelf = shelf
        self.context = context
        self.namespace = namespace
        self.allow_secrets = allow_secrets
        self.found: list[Diagnostic] = []
        self.names: set[str] = set()
        self.count = 0
        self.objects = 0

    def stage(self, path: Path, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The objects of the apply stage whose body stands at *path*."""
        gathered = []
        for index, pattern in enumerate(body["files"]):
            place = (*path, "files", index)
            try:
                gathered += self._pattern(pattern, place, body)
            except PlaceError as error:
                self._add(error.code, error.message, place, error.hint)
            except InvalidDocumentError as error:
                self.found.extend(error.diagnostics)
        gathered = self._with_images(gathered, path, body)
        self._repeated(gathered, path)
        return gathered

    def _pattern(self, pattern: str, place: Path, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        files = self.repository.find(pattern)
        self.count += len(files)
        if self.count > MAX_FILES:
            raise PlaceError("RUN308", f"the playbook names more than {MAX_FILES} files")
        return [each for file in files for each in self._file(file, place, body)]

    def _file(self, file: str, place: Path, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        documents = self.shelf.read(self.repository, file, self._shown(file))
        if not documents:
            self._add("RUN305", f'"{file}" holds no object', place, None, Severity.WARNING)
        for document in documents:
            wrong: list[Diagnostic] = []
            for path, said in objects(document):
                self.objects += 1
                if self.objects > MAX_OBJECTS:
                    raise PlaceError("RUN308", f"the playbook applies more than {MAX_OBJECTS} objects")
                rendered = self._rendered(document, said, path, wrong) if body.get("template") else said
                if rendered is not None and self._acceptable(document, path, rendered, wrong):
                    yield {"file": file, "object": in_namespace(rendered, self.namespace)}
            self.found.extend(discreet(wrong, document.text, file))

    def _rendered(self, document: Document, said: Any, path: Path, found: list[Diagnostic]) -> Any:
        rendering = Rendering(document, _types)
        rendered = rendering.tree(said, self.context, path)
        found.extend(rendering.found)
        self.names |= rendering.names
        return None if rendering.unknown else rendered

    def _acceptable(self, document: Document, path: Path, said: Any, found: list[Diagnostic]) -> bool:
        wrong = list(shape(document, path, said))
        keep_values_secret(said)
        if not wrong and said["kind"] == "Secret" and said["apiVersion"] == "v1" and not self.allow_secrets:
            hint = "let a secret store create it, or give --allow-secrets"
            message = "a Secret would be copied into the state file"
            self.found.append(document.diagnostic("RUN307", message, (*path, "kind"), hint=hint))
            return False
        found.extend(wrong)
        return not wrong

    def _with_images(
        self, gathered: list[dict[str, Any]], path: Path, body: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        images = body.get("images")
        if not isinstance(images, dict):
            return gathered
        used: set[str] = set()
        changed = [{**each, "object": _replaced(each["object"], images, used)} for each in gathered]
        for name in images.keys() - used if gathered else ():
            message = f'no container of the stage has the image or the name "{name}"'
            self._add("RUN309", message, (*path, "images", name), "write the image without its tag")
        return changed

    def _repeated(self, gathered: list[dict[str, Any]], path: Path) -> None:
        seen: dict[tuple[Any, ...], str] = {}
        for each in gathered:
            key = identity(each["object"])
            if key in seen:
                kind, name = key[1], key[3]
                message = f"{kind}/{name} is in {seen[key]} and again in {each['file']}"
                self._add("RUN310", message, (*path, "files"), "the later one would win", Severity.WARNING)
            seen[key] = each["file"]

    def _shown(self, file: str) -> str:
        folder = self.document.file.rpartition("/")[0]
        return f"{folder}/{file}" if folder else file

    def _add(
        self, code: str, message: str, path: Path, hint: str | None, severity: Severity = Severity.ERROR
    ) -> None:
        self.found.append(self.document.diagnostic(code, message, path, hint=hint, severity=severity))


def keep_values_secret(found: Any) -> None:
    """What a Secret holds appears in no output, whether or not it may be applied, nor does kubectl's copy of it."""
    if not isinstance(found, dict) or found.get("kind") != "Secret":
        return
    for part in ("data", "stringData"):
        values = found.get(part)
        for value in values.values() if isinstance(values, dict) else ():
            keep_secret(str(value))
            with suppress(ValueError):
                keep_secret(base64.b64decode(str(value), validate=True).decode())
    with suppress(ValueError):
        keep_values_secret(json_of(str(at(found, ("metadata", "annotations", APPLIED)))))


def identity(found: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What makes two objects the same one: group, kind, namespace, name."""
    metadata = found["metadata"]
    group = found["apiVersion"].rpartition("/")[0]
    return group, found["kind"], metadata.get("namespace", ""), metadata["name"]


def _types(path: Path) -> frozenset[str]:
    """Fields that Kubernetes wants as text; elsewhere a template keeps the type of its variable."""
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    parent = at(path, (len(path) - 2,), "")
    text = last in TEXT_FIELDS or last in TEXT_PARENTS or parent in TEXT_PARENTS
    return frozenset({"string"}) if text else frozenset()


def _replaced(found: Any, images: Mapping[str, str], used: set[str]) -> Any:
    """*found* with the images of its containers replaced, wherever a pod template stands."""
    if isinstance(found, list):
        return [_replaced(item, images, used) for item in found]
    if not isinstance(found, dict):
        return found
    return {
        key: [_image(item, images, used) for item in value]
        if key in CONTAINERS and isinstance(value, list)
        else _replaced(value, images, used)
        for key, value in found.items()
    }


def _image(container: Any, images: Mapping[str, str], used: set[str]) -> Any:
    if not isinstance(container, dict) or not isinstance(container.get("image"), str):
        return container
    known = (without_tag(container["image"]), container.get("name"))
    name = next((name for name in known if name in images), None)
    if name is None:
        return container
    used.add(name)
    return {**container, "image": images[name]}


def without_tag(image: str) -> str:
    """An image reference without tag and digest; the port of a registry stays."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]
