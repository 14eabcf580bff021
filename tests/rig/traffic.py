"""Load as a client sees it: paced or all at once, every answer counted by status and version."""

from __future__ import annotations

import collections
import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rig import build

Counts = collections.Counter[
    str
]  # "CODE VERSION" -> answers; "0 -" never came, "- " is an answer without a version


@dataclass(slots=True)
class Load:
    """Steady load for as long as the context is open; it ends with this process, however that ends."""

    url: str
    rps: float = 20
    connections: int = 8
    host: str = ""
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _snapshots: list[tuple[float, Counts]] = field(default_factory=list)

    def __enter__(self) -> Self:
        flags = (
            f"-url={self.url}",
            f"-rps={self.rps}",
            f"-connections={self.connections}",
            f"-host={self.host}",
        )
        self._process = _start(*flags)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody comes any more."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and self._reader is not None:
            process.stdin.close()  # the end of its stdin ends it
            self._reader.join(60)
            process.wait(60)

    def counts(self, since: float = 0, to: float | None = None) -> Counts:
        """Answers between two moments of `time.time()`, to the second."""
        return _at(self._snapshots, time.time() if to is None else to) - _at(self._snapshots, since)

    def first(self, code: str, since: float = 0) -> float | None:
        """When the first answer with this status was seen, to the second."""
        before = self._matching(_at(self._snapshots, since), code)
        moments = (
            at for at, counts in self._snapshots if at >= since and self._matching(counts, code) > before
        )
        return next(moments, None)

    @staticmethod
    def _matching(counts: Counts, code: str) -> int:
        return sum(count for key, count in counts.items() if key.startswith(f"{code} "))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._snapshots.append((time.time(), collections.Counter(json.loads(line))))


def burst(url: str, requests: int, connections: int = 8) -> Counts:
    """Ask as fast as the connections allow, and count."""
    process = _start(f"-url={url}", "-rps=0", f"-requests={requests}", f"-connections={connections}")
    with process:
        assert process.stdout is not None
        lines = process.stdout.readlines()
    return collections.Counter(json.loads(lines[-1]))


def by_version(counts: Counts) -> dict[str, float]:
    """The percent of versioned answers that each version gave."""
    answers: Counts = collections.Counter()
    for key, count in counts.items():
        version = key.split()[1]
        if version != "-":
            answers[version] += count
    return {version: 100 * count / answers.total() for version, count in answers.items()}


def failed(counts: Counts) -> int:
    """Answers that are not 200."""
    return sum(count for key, count in counts.items() if not key.startswith("200 "))


def _at(snapshots: list[tuple[float, Counts]], moment: float) -> Counts:
    taken = [counts for at, counts in snapshots if at <= moment]
    return taken[-1] if taken else collections.Counter()


def _start(*flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(build.workloads()), "load", "-until-eof", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
