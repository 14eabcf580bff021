"""Names that mean something else for a while."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


@contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """Names of modules and classes mean something else until the block ends; new names are gone then."""
    before = [(where, name, vars(where)[name]) for where, name, _ in changes if name in vars(where)]
    for where, name, value in changes:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, _ in changes:
            delattr(where, name)
        for where, name, value in before:
            setattr(where, name, value)


def patched(where: Any, **names: Any) -> AbstractContextManager[None]:
    """`replaced`, for several names of one place."""
    return replaced(*((where, name, value) for name, value in names.items()))
