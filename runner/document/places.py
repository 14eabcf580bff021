"""Files that a playbook names: inside the repository, regular, bounded; never through a link that leads out.

A path is resolved once, held against the root, and then opened folder by folder without following links, so
that nothing can be exchanged between the look and the opening.
"""

# paths are plain texts here until one is opened, and pathlib would not say which is which
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH117, PTH118, PTH120, PTH123, PTH206, PTH208

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Final

from runner.document.source import MAX_BYTES, read_bytes, size
from runner.errors import Diagnostic, InvalidDocumentError, Location

MAX_FILES: Final = 256
MAX_ENTRIES: Final = 50_000
RELATIVE: Final = "paths are relative to the playbook"
SUFFIXES: Final = (".yaml", ".yml", ".json")
MAGIC: Final = re.compile(r"[*?\[]")


class PlaceError(Exception):
    """Why a path of a playbook cannot be read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Repository:
    """What a playbook may read: *root* and everything below; paths are relative to *folder*."""

    def __init__(self, root: str, folder: str) -> None:
        self.root = root
        self.folder = folder

    @cached_property
    def real_root(self) -> str:
        """The root with every link resolved."""
        return os.path.realpath(self.root)

    def find(self, pattern: str) -> list[str]:
        """The files that a file name, a glob or a folder stands for, relative to the folder. PlaceError."""
        if "\0" in pattern or os.path.isabs(pattern):
            raise PlaceError(
                "RUN302", f'"{pattern}" is not relative to the playbook', "write a relative path"
            )
        path = os.path.normpath(os.path.join(self.folder, pattern))
        if not MAGIC.search(pattern):
            self.confine(path, pattern)
            return self._named(path, pattern)
        base = MAGIC.split(path, maxsplit=1)[0].rpartition("/")[0] or "/"
        self.confine(base, pattern)
        wanted = path[len(base) :].strip("/").split("/")
        found = [
            file for file in _walk(base, pattern) if _matches(wanted, file[len(base) :].strip("/").split("/"))
        ]
        if not found:
            raise PlaceError("RUN301", f'"{pattern}" matches no file', RELATIVE)
        return [self._relative(file) for file in _bounded(sorted(found), pattern)]

    def read(self, file: str) -> bytes:
        """The bytes of *file*, relative to the folder. PlaceError."""
        real = self.confine(os.path.normpath(os.path.join(self.folder, file)), file)
        try:
            return _read(self.real_root, os.path.relpath(real, self.real_root).split(os.sep), file)
        except OSError as error:
            raise _unreadable(file, error) from None

    def confine(self, path: str, shown: str) -> str:
        """The real path of *path*. PlaceError where that is outside the root."""
        real = os.path.realpath(path)
        if real == self.real_root or real.startswith(self.real_root.rstrip("/") + "/"):
            return real
        inside = os.path.normpath(os.path.abspath(path)).startswith(
            os.path.abspath(self.root).rstrip("/") + "/"
        )
        if inside:
            raise PlaceError("RUN303", f'"{shown}" is a link that leads out of the repository')
        hint = "keep manifests in the repository of the playbook, or widen it with --root"
        raise PlaceError("RUN302", f'"{shown}" is outside the repository', hint)

    def _named(self, path: str, pattern: str) -> list[str]:
        if not os.path.isdir(path):
            if not os.path.lexists(path):
                raise PlaceError("RUN301", f'there is no file "{pattern}"', self._similar(path))
            return [self._relative(path)]
        names = sorted(name for name in _listed(path, pattern) if name.endswith(SUFFIXES) and name[0] != ".")
        files = [os.path.join(path, name) for name in names]
        found = [file for file in files if os.path.isfile(file)]
        if not found:
            raise PlaceError("RUN301", f'the folder "{pattern}" holds no {" or ".join(SUFFIXES)} file')
        return [self._relative(file) for file in _bounded(found, pattern)]

    def _similar(self, path: str) -> str:
        from runner.document.suggest import did_you_mean

        folder, name = os.path.split(path)
        with suppress(OSError):
            return did_you_mean(name, os.listdir(folder)[:MAX_FILES]) or RELATIVE
        return RELATIVE

    def _relative(self, file: str) -> str:
        return os.path.relpath(file, self.folder)


def read_named(document: str, root: str | None = None) -> bytes:
    """The bytes of a document that a command names. InvalidDocumentError, also for a link out of its repository.

    `runner validate playbooks/*.yaml` names what a pull request put there, and says what is wrong with its lines.
    """
    if leads_out(document, root):
        hint = "name the file itself, or widen the repository with --root"
        message = "this is a link that leads out of its repository"
        raise InvalidDocumentError((Diagnostic("RUN303", message, Location(document), hint=hint),))
    return read_bytes(document)


def leads_out(document: str, root: str | None = None) -> bool:
    """Whether a link on the way to *document* leaves both *root* and the repository that the document lies in."""
    if "\0" in document:
        return False
    real, folder = os.path.realpath(document), os.path.dirname(os.path.abspath(document))
    roots = (root, _with_git(folder) or folder)
    inside = (real.startswith(os.path.realpath(each).rstrip("/") + "/") for each in roots if each)
    return not any(inside)


def repository(playbook: str, root: str | None) -> Repository:
    """What the playbook at path *playbook* may read: *root*, else the folder with `.git`, else its folder."""
    folder = os.path.dirname(os.path.abspath(playbook))
    return Repository(os.path.abspath(root) if root else _with_git(folder) or folder, folder)


@lru_cache(maxsize=1024)
def _with_git(folder: str) -> str | None:
    while not os.path.exists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return folder


def _bounded(found: list[str], pattern: str) -> list[str]:
    if len(found) > MAX_FILES:
        raise PlaceError("RUN308", f'"{pattern}" stands for {len(found)} files, at most {MAX_FILES} are read')
    return found


def _listed(folder: str, shown: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise _unreadable(shown, error) from None


def _unreadable(shown: str, error: OSError) -> PlaceError:
    return PlaceError("RUN304", f'"{shown}" cannot be read: {(error.strerror or "unknown reason").lower()}')


def _walk(base: str, shown: str) -> Iterator[str]:
    """Every file below *base*, hidden ones and links to folders left out."""

    def refuse(error: OSError) -> None:
        """A folder that may not be looked into could hold what the pattern means."""
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise _unreadable(shown, error)

    entries = 0
    for folder, folders, files in os.walk(base, onerror=refuse):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        entries += len(folders) + len(files)
        if entries > MAX_ENTRIES:
            raise PlaceError("RUN308", f"more than {MAX_ENTRIES} files lie below {base}", "name the folder")
        yield from (os.path.join(folder, name) for name in files if name[0] != ".")


def _matches(pattern: list[str], names: list[str]) -> bool:
    """Whether *names* fit *pattern* folder by folder; `**` stands for any number of them."""
    reached = {0}
    for name in names:
        reached = _skipped(pattern, reached)
        reached = {
            index if pattern[index] == "**" else index + 1
            for index in reached
            if index < len(pattern) and (pattern[index] == "**" or fnmatchcase(name, pattern[index]))
        }
    return len(pattern) in _skipped(pattern, reached)


def _skipped(pattern: list[str], reached: set[int]) -> set[int]:
    """Also what lies behind a `**` that stands for nothing."""
    found = set(reached)
    for index, part in enumerate(pattern):
        if index in found and part == "**":
            found.add(index + 1)
    return found


def _read(root: str, parts: list[str], shown: str) -> bytes:
    """Open folder by folder from *root*, following no link."""
    follow_none = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, follow_none | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = inner
        file = os.open(parts[-1], follow_none | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    with open(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise PlaceError("RUN304", f'"{shown}" is not a regular file')
        found = stream.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise PlaceError("RUN308", f'"{shown}" is larger than {size(MAX_BYTES)}')
    return found
