"""What a person may have meant."""

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The name in *known* most like *word*, or None where none is like it."""
    from difflib import get_close_matches  # costs 5 ms, and only mistakes need it

    names = sorted(set(known))
    folded = next((name for name in names if name.casefold() == word.casefold()), None)
    found = get_close_matches(word[:100], names, n=1, cutoff=0.6)
    return folded or (found[0] if found else None)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint, or None."""
    found = closest(word, known)
    return None if found is None else f'did you mean "{found}"?'


def quoted(names: Iterable[str]) -> str:
    """`"a", "b"`, sorted."""
    return ", ".join(f'"{name}"' for name in sorted(names))
