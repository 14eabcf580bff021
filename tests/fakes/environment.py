"""The environment of a command that is called in this process."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def set_to(**environment: str) -> Iterator[None]:
    """The environment with these variables, and afterwards as it was."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
