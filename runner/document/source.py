"""A file to printable text: regular files only, bounded, UTF-8."""

import os
import re
import stat
from typing import Final

from runner.errors import Diagnostic, InvalidDocumentError, Location

MAX_BYTES: Final = 1024 * 1024

UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What YAML 1.2 does not print (section 5.1), written as what is refused: the other way compiles ten times slower."""


PRIVATE: Final = re.compile(r"""["']?kind["']?\s*:\s*["']?(?:Secret|Config)\b""")
"""What a file says that may hold credentials, whatever else is wrong with it: no line of it is ever shown."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The regular file *path*, of at most MAX_BYTES. InvalidDocumentError."""
    place = Location(str(path))
    found = _read(path, place, MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise _refused("RUN003", f"the file is larger than {size(MAX_BYTES)}", place)
    return found


def read_beginning(path: str | os.PathLike[str]) -> bytes:
    """The first 8 KiB of the regular file *path*. InvalidDocumentError."""
    return _read(path, Location(str(path)), 8192)


def _read(path: str | os.PathLike[str], place: Location, length: int) -> bytes:
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _refused("RUN001", "this is not a regular file", place)
            return stream.read(length)
    except OSError as error:
        raise _refused("RUN001", _reason(error), place) from None
    except ValueError:
        raise _refused("RUN001", "this is not the name of a file", place) from None


def decode(text: str | bytes, file: str) -> str:
    """*text* as printable characters. InvalidDocumentError names the first that is none."""
    if isinstance(text, bytes):
        text = _utf8(text, file)
    text = text.removeprefix("\ufeff")
    if found := UNPRINTABLE.search(text):
        what = "binary data" if found[0] == "\0" else f"the character U+{ord(found[0]):04X}"
        place = position(text, found.start(), file)
        raise _refused("RUN002", f"the file is not text: it holds {what}", place)
    return text


def position(text: str, index: int, file: str) -> Location:
    """The place of the character at *index*."""
    return Location(file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def size(limit: int) -> str:
    """A limit as people read it."""
    return f"{limit // 1024 // 1024} MiB" if limit >= MAX_BYTES else f"{limit // 1024} KiB"


def _utf8(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Location(file, raw.count(b"\n", 0, error.start) + 1)
        what = f"the file is not UTF-8 text: it holds the byte 0x{raw[error.start]:02x}"
        raise _refused("RUN002", what, place) from None


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder"
        case PermissionError():
            return "the file may not be read"
    return f"the file cannot be read: {(error.strerror or 'unknown reason').lower()}"


def _refused(code: str, message: str, place: Location) -> InvalidDocumentError:
    return InvalidDocumentError((Diagnostic(code, message, place),))
