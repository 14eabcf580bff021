"""How the traffic of one route is shared between subsets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WHOLE = 100


@dataclass(frozen=True, slots=True)
class Split:
    """Integer weights by subset, adding to 100; subsets of weight 0 are left out."""

    weights: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        """Raise ValueError for weights that are negative, repeated, or do not add to 100."""
        total = sum(weight for _, weight in self.weights)
        if total != WHOLE:
            raise ValueError(f"weights must add up to {WHOLE}, these make {total}")
        if any(weight < 0 for _, weight in self.weights):
            raise ValueError("a weight is never negative")
        if len({subset for subset, _ in self.weights}) != len(self.weights):
            raise ValueError("a subset has one weight")

    def __getitem__(self, subset: str) -> int:
        """Percent of the traffic that *subset* gets; 0 for one not named."""
        return next((weight for name, weight in self.weights if name == subset), 0)

    def __iter__(self) -> Iterator[str]:
        return (subset for subset, _ in self.weights)

    def __str__(self) -> str:
        return " / ".join(f"{subset} {weight}" for subset, weight in self.weights)

    def as_dict(self) -> dict[str, int]:
        """The form that documents, events and reports show."""
        return dict(self.weights)


def split_of(weights: Mapping[str, int]) -> Split:
    """A split from ``{subset: percent}``, in a canonical order; ValueError when it is none."""
    return Split(tuple(sorted((name, weight) for name, weight in weights.items() if weight)))


def canary_split(stable: str, canary: str, share: int) -> Split:
    """*share* percent to *canary* and the rest to *stable*."""
    return split_of({stable: WHOLE - share, canary: share})
