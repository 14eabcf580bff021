"""Another user of the same machine, for a moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65_534

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users in one test")


@contextmanager
def as_nobody() -> Iterator[None]:
    """What is done in the block is done by a user without any rights of its own; for root nothing would be forbidden."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def open_to_all(folder: Path) -> None:
    """Let every user come through to *folder*; pytest's own folders let nobody."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.geteuid() and each != Path(each.anchor):
            each.chmod(each.stat().st_mode | 0o055)
