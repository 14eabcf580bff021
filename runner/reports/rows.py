"""Rows of toned text: what a picture is made of."""

from dataclasses import dataclass, replace

from runner.reports.terminal import Terminal, Tone, beginning, cells

SPARKS = "▁▂▃▄▅▆▇█"
GAP = "·"  # a measurement without a value is a gap, never a zero


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one tone."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a picture."""

    spans: tuple[Span, ...]

    @property
    def text(self) -> str:
        """The row without its tones."""
        return "".join(span.text for span in self.spans).rstrip()

    def clipped(self, columns: int) -> "Row":
        """The row's beginning, in at most *columns* columns."""
        spans: list[Span] = []
        for span in self.spans:
            text = beginning(span.text, columns)
            columns -= cells(text)
            spans.append(replace(span, text=text))
        return Row(tuple(spans))

    def spelled(self, terminal: Terminal) -> "Row":
        """The row in the characters that *terminal* has."""
        if not terminal.ascii:
            return self
        return Row(tuple(replace(span, text=terminal.spell(span.text)) for span in self.spans))


def rule(width: int) -> Row:
    """A line across."""
    return Row((Span(" " + "─" * (width - 1), Tone.DIM),))


def bar(share: float, columns: int, empty: str = "░") -> str:
    """*columns* columns, *share* of them (0 to 1) full."""
    full = round(share * columns)
    return "█" * full + empty * (columns - full)


def spark(values: tuple[float | None, ...], top: float, columns: int) -> str:
    """The newest *columns* values as heights; *top*, or a greater value, is the full height."""
    shown = values[-columns:]
    known = [value for value in shown if value is not None]
    low, high = min([0.0, *known]), max([top, *known])
    span = (high - low) or 1.0
    return "".join(GAP if v is None else SPARKS[round((v - low) / span * (len(SPARKS) - 1))] for v in shown)
