"""Files and folders that hold what a run knows: nobody else may write to them, or exchange them for others.

A state file decides what is written to a cluster, so whoever could change it could do what its reader may do.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runner.errors import RunnerError

FILE, FOLDER = 0o600, 0o700
OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def make_folder(folder: Path) -> None:
    """*folder* and what is missing above it, 0700. RunnerError where others may write to it; OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=FOLDER, exist_ok=True)
    found = folder.stat()
    if found.st_mode & stat.S_ISVTX or not _open_to_others(found):
        return
    raise RunnerError(
        f"others may write to {folder.absolute()}, and could exchange a state file in it",
        hint=f"keep the state elsewhere, or take the right away: chmod go-w {folder}",
    )


def open_file(path: Path, flags: int) -> int:
    """A descriptor of the plain file *path*, made 0600 where *flags* say so; never through a link.

    RunnerError where it is no plain file, belongs to somebody else, or others may write to it; OSError.
    """
    # O_NONBLOCK: opening a named pipe must not wait for somebody at its other end
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, FILE)
    found = os.fstat(descriptor)
    for wrong in _wrong(found):
        os.close(descriptor)
        raise RunnerError(f"{path} {wrong}, so it is not used", hint=_hint(path, found))
    return descriptor


def read_all(descriptor: int) -> bytes:
    """Everything in *descriptor*, from its beginning."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as stream:
        return stream.read()


def _wrong(found: os.stat_result) -> Iterable[str]:
    if not stat.S_ISREG(found.st_mode):
        yield "is not a regular file"
    elif found.st_uid != os.geteuid():
        yield "belongs to somebody else"
    elif _open_to_others(found):
        yield "can be written by others"


def _open_to_others(found: os.stat_result) -> bool:
    """The user's own group is nobody else: many systems give each user one, and let it write."""
    ours = found.st_gid == os.getgid()
    return bool(found.st_mode & (stat.S_IWOTH if ours else OTHERS))


def _hint(path: Path, found: os.stat_result) -> str:
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return f"make sure that it is what you wrote, then: chmod go-w {path}"
    return "go on as the user who began the run, on the state file itself"
