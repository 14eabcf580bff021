"""What a person may have meant."""

from collections.abc import Iterable
from typing import Final

STAGE_WORDS: Final = {
    word: kind
    for kind, words in {
        "apply": "create deploy install manifest manifests",
        "approve": "approval ask confirm gate judgment manual",
        "promote": "complete finalize finish release",
        "scale": "replicas resize",
        "shift": "route setweight split traffic weight weights",
        "verify": "analysis analyze analyse check checks measure test",
        "wait": "bake delay pause sleep soak",
    }.items()
    for word in words.split()
}
"""What other tools call the kinds of stages: no likeness of letters leads from `sleep` to `wait`."""


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


def did_you_mean_stage(word: str, known: Iterable[str]) -> str | None:
    """The hint for a key of a stage: another tool's word for a kind first, then what looks alike."""
    kind = STAGE_WORDS.get(word.casefold())
    if kind is None:
        return did_you_mean(word, known)
    return f'did you mean "{kind}"?' if kind in set(known) else None


def quoted(names: Iterable[str]) -> str:
    """`"a", "b"`, sorted."""
    return ", ".join(f'"{name}"' for name in sorted(names))
