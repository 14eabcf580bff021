"""Reads a dump in the OpenMetrics text format into a storage.

More lenient than the specification where dumps are: no `# TYPE` lines needed, names stay as written, families
may interleave, samples come in any order, `# EOF` may be missing. Stricter in one point: every sample needs
its timestamp, in seconds.
"""

import math
import re
from array import array
from collections.abc import Iterable, Iterator
from functools import cache

from runner.promql.errors import DumpError
from runner.promql.labels import NAME, Labels
from runner.promql.spans import MAX_SECONDS
from runner.promql.storage import MemorySeries, MemoryStorage

MAX_SAMPLES = 5_000_000
MAX_SERIES = 200_000
MAX_LINE = 65_536

_ESCAPE = re.compile(r'\\([\\n"])')
_ESCAPED = {"\\": "\\", "n": "\n", '"': '"'}


@cache
def _sample_line() -> re.Pattern[str]:
    return re.compile(
        r"""(?P<series>(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)?+(?:\{(?P<labels>(?:[^"{}]|"(?:[^"\\]|\\.)*+")*+)\})?+)
        [ \t]+(?P<value>[^\s#]\S*+)(?:[ \t]+(?P<at>[^\s#]\S*+))?+[ \t]*+(?:\#.*)?""",
        re.VERBOSE | re.DOTALL,
    )


@cache
def _label_pair() -> re.Pattern[str]:
    return re.compile(
        r"""[ \t]*(?:(?P<name>[a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)*+")[ \t]*=[ \t]*(?P<value>"(?:[^"\\]|\\.)*+")
        |(?P<metric>"(?:[^"\\]|\\.)*+"))[ \t]*(?P<comma>,)?[ \t]*""",
        re.VERBOSE | re.DOTALL,
    )


def parse_openmetrics(dump: str | Iterable[str]) -> MemoryStorage:
    """A storage with the samples of *dump*, a text or its lines. DumpError names the first wrong line."""
    reader = _Reader()
    for number, line in enumerate(_lines(dump) if isinstance(dump, str) else dump, start=1):
        if not reader.read(number, line):
            break
    return reader.storage()


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


class _Samples:
    """Samples of one series as they come, each with its line."""

    __slots__ = ("labels", "lines", "timestamps", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.timestamps: array[int] = array("q")
        self.values: array[float] = array("d")
        self.lines: array[int] = array("L")

    def fill(self, series: MemorySeries) -> None:
        """Append everything in order to *series*; the same sample twice is one."""
        order = sorted(range(len(self.timestamps)), key=self.timestamps.__getitem__)
        for index in order:
            at, value = self.timestamps[index], self.values[index]
            if not series.timestamps or at > series.timestamps[-1]:
                series.append(at, value)
            elif _differs(series.values[-1], value):
                message = f"a second, different sample of {self.labels!r} at {at / 1000:g}"
                raise DumpError(message, line=self.lines[index])


class _Reader:
    """The samples read so far, by the text of their series."""

    def __init__(self) -> None:
        self._by_text: dict[str, _Samples] = {}
        self._by_labels: dict[Labels, _Samples] = {}
        self._count = 0

    def read(self, number: int, line: str) -> bool:
        """Take one line; False after `# EOF`."""
        if len(line) > MAX_LINE:
            raise DumpError(f"the line has more than {MAX_LINE:,} characters", line=number)
        line = line.strip()
        if line.startswith("#"):
            return line != "# EOF"
        if line:
            self._sample(number, line)
        return True

    def _sample(self, number: int, line: str) -> None:
        parts = line.rsplit(" ", 2)
        known = self._by_text.get(parts[0]) if len(parts) == 3 else None
        if known is not None:
            self._take(known, parts[1], parts[2], number)
            return
        found = _sample_line().fullmatch(line)
        if found is None:
            hint = 'expected name{label="value"} value timestamp'
            raise DumpError(f'"{_short(line)}" is no sample', line=number, hint=hint)
        series, name, labels, value, at = found.groups()
        samples = self._by_text.get(series) or self._new(series, name, labels or "", number)
        self._take(samples, value, at, number)

    def _take(self, samples: _Samples, value: str, at: str | None, number: int) -> None:
        samples.timestamps.append(_timestamp(at, number))
        samples.values.append(_value(value, number))
        samples.lines.append(number)
        self._count += 1
        if self._count > MAX_SAMPLES:
            raise DumpError(f"more than {MAX_SAMPLES:,} samples", line=number, hint="dump a shorter time")

    def _new(self, text: str, name: str | None, labels: str, number: int) -> _Samples:
        if len(self._by_text) >= MAX_SERIES:
            raise DumpError(f"more than {MAX_SERIES:,} series", line=number, hint="dump fewer series")
        read = _labels(name, labels, number)
        samples = self._by_labels.setdefault(read, _Samples(read))
        self._by_text[text] = samples
        return samples

    def storage(self) -> MemoryStorage:
        """Everything read, in order."""
        storage = MemoryStorage()
        for labels, samples in self._by_labels.items():
            samples.fill(storage.series(labels))
        return storage


def _labels(name: str | None, text: str, number: int) -> Labels:
    pairs: dict[str, str] = {} if name is None else {NAME: name}
    for label, value in _pairs(text, number):
        if label in pairs:
            raise DumpError(f'label "{_short(label)}" is there twice', line=number)
        pairs[label] = value
    if not pairs.get(NAME):
        raise DumpError("a sample has no metric name", line=number)
    return Labels(pairs)


def _pairs(text: str, number: int) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _label_pair().match(text, position)
        if found is None or (found["comma"] is None and found.end() < len(text)):
            wrong = _short(text[position:])
            raise DumpError(f'"{wrong}" is no label', line=number, hint='expected label="value"')
        position = found.end()
        if found["metric"] is not None:
            yield NAME, _unquoted(found["metric"])
        else:
            label = found["name"]
            yield (_unquoted(label) if label.startswith('"') else label), _unquoted(found["value"])


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text[1:-1]) if "\\" in text else text[1:-1]


def _float(text: str) -> float | None:
    """The number in *text*: what Python reads, less its underscores and other scripts' digits."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _value(text: str, number: int) -> float:
    value = _float(text)
    if value is None:
        raise DumpError(f'value "{_short(text)}" is no number', line=number)
    return value


def _timestamp(text: str | None, number: int) -> int:
    if text is None:
        raise DumpError("the sample has no timestamp", line=number, hint="add Unix seconds after the value")
    seconds = _float(text)
    if seconds is None or not abs(seconds) <= MAX_SECONDS:
        raise DumpError(f'timestamp "{_short(text)}" is no Unix time in seconds', line=number)
    return math.floor(seconds * 1000 + 0.5)


def _differs(left: float, right: float) -> bool:
    return left != right and not (math.isnan(left) and math.isnan(right))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
