"""Reads a dump in the OpenMetrics text format into a storage.

More lenient than the specification where dumps are: no `# TYPE` lines needed, names stay as written, families
may interleave, `# EOF` may be missing. Stricter in one point: every sample needs its timestamp, in seconds.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from runner.promql.errors import DumpError
from runner.promql.labels import NAME, Labels
from runner.promql.storage import MemorySeries, MemoryStorage

MAX_SAMPLES = 5_000_000
MAX_SERIES = 200_000
MAX_LINE = 65_536

_SAMPLE = re.compile(
    r"""(?P<series>(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)?+(?:\{(?P<labels>(?:[^"{}]|"(?:[^"\\]|\\.)*+")*+)\})?+)
    [ \t]+(?P<value>[^\s#]\S*+)(?:[ \t]+(?P<at>[^\s#]\S*+))?+[ \t]*+(?:\#.*)?""",
    re.VERBOSE | re.DOTALL,
)
_LABEL = re.compile(
    r'[ \t]*(?:(?P<name>[a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)*+")[ \t]*=[ \t]*(?P<value>"(?:[^"\\]|\\.)*+")'
    r'|(?P<metric>"(?:[^"\\]|\\.)*+"))[ \t]*(?P<comma>,)?[ \t]*',
    re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_ESCAPE = re.compile(r'\\([\\n"])')
_ESCAPED = {"\\": "\\", "n": "\n", '"': '"'}


def parse_openmetrics(dump: str | Iterable[str]) -> MemoryStorage:
    """A storage with the samples of *dump*, a text or its lines. DumpError names the first wrong line."""
    reader = _Reader()
    for number, line in enumerate(dump.split("\n") if isinstance(dump, str) else dump, start=1):
        if not reader.read(number, line):
            break
    return reader.storage()


class _Reader:
    """The samples read so far, by series; they may come in any order."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[int, float]] = {}
        self._labels: dict[str, Labels] = {}
        self._count = 0

    def read(self, number: int, line: str) -> bool:
        """Take one line; False after `# EOF`."""
        line = line.rstrip("\r\n")
        if not line or line.isspace():
            return True
        if line.startswith("#"):
            return line.rstrip() != "# EOF"
        self._sample(number, line)
        return True

    def _sample(self, number: int, line: str) -> None:
        if len(line) > MAX_LINE:
            raise DumpError(
                f"the line has {len(line):,} characters, at most {MAX_LINE:,} are read", line=number
            )
        found = _SAMPLE.fullmatch(line.strip())
        if found is None:
            raise DumpError(
                f'"{_short(line)}" is no sample',
                line=number,
                hint='expected name{label="value"} value timestamp',
            )
        at = _timestamp(found["at"], number)
        value = _value(found["value"], number)
        samples = self._series(found["series"], found["name"], found["labels"], number)
        if _differs(samples.setdefault(at, value), value):
            raise DumpError(f"a second, different sample of {found['series']} at {found['at']}", line=number)
        self._count += 1
        if self._count > MAX_SAMPLES:
            raise DumpError(f"more than {MAX_SAMPLES:,} samples", line=number, hint="dump a shorter time")

    def _series(self, text: str, name: str | None, labels: str | None, number: int) -> dict[int, float]:
        known = self._samples.get(text)
        if known is None:
            self._labels[text] = _labels(name, labels or "", number)
            known = self._samples[text] = {}
            if len(self._samples) > MAX_SERIES:
                raise DumpError(f"more than {MAX_SERIES:,} series", line=number, hint="dump fewer series")
        return known

    def storage(self) -> MemoryStorage:
        """The samples in order."""
        merged: dict[Labels, dict[int, float]] = {}
        for text, samples in self._samples.items():
            labels = self._labels[text]
            if labels in merged:
                merged[labels] = merged[labels] | samples
            else:
                merged[labels] = samples
        storage = MemoryStorage()
        for labels, samples in merged.items():
            _fill(storage.series(labels), samples)
        return storage


def _fill(series: MemorySeries, samples: Mapping[int, float]) -> None:
    for at in sorted(samples):
        series.append(at, samples[at])


def _labels(name: str | None, text: str, number: int) -> Labels:
    pairs: dict[str, str] = {} if name is None else {NAME: name}
    for label, value in _pairs(text, number):
        if label in pairs:
            raise DumpError(f'label "{label}" is there twice', line=number)
        pairs[label] = value
    if not pairs.get(NAME):
        raise DumpError("a sample has no metric name", line=number)
    return Labels(pairs)


def _pairs(text: str, number: int) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _LABEL.match(text, position)
        if found is None or (found["comma"] is None and found.end() < len(text)):
            raise DumpError(
                f'"{_short(text[position:])}" is no label', line=number, hint='expected label="value"'
            )
        position = found.end()
        if found["metric"] is not None:
            yield NAME, _unquoted(found["metric"])
        else:
            label = found["name"]
            yield (_unquoted(label) if label.startswith('"') else label), _unquoted(found["value"])


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text[1:-1])


def _value(text: str, number: int) -> float:
    if not _NUMBER.fullmatch(text):
        raise DumpError(f'value "{_short(text)}" is no number', line=number)
    return float(text)


def _timestamp(text: str | None, number: int) -> int:
    if text is None:
        raise DumpError("the sample has no timestamp", line=number, hint="add Unix seconds after the value")
    seconds = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not abs(seconds) < 9.2e15:
        raise DumpError(f'timestamp "{_short(text)}" is no Unix time in seconds', line=number)
    return math.floor(seconds * 1000 + 0.5)


def _differs(left: float, right: float) -> bool:
    return left != right and not (math.isnan(left) and math.isnan(right))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
