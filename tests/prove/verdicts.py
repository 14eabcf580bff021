"""Whatever a source of metrics answers, once, at the third question, or always: what cannot be judged never passes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runner.adapters.prometheus import Prometheus
from runner.adapters.wire import Page, WireError
from runner.engine.events import MeasurementTaken
from runner.model.checks import Bounds, Check, Query, Verdict
from runner.model.evidence import Answer, NoAnswer
from runner.model.stages import Stage, Verify
from runner.ports import Clock, Metrics
from tests.prove.faults import quiet
from tests.prove.gates import WHENS
from tests.prove.oracle import Violation
from tests.prove.simulation import Run, private_folder
from tests.prove.stories import ERRORS, PLAIN, SERIES, STAGES, V3, Story

ROWS = Path(__file__).parent / "verdicts.yaml"
PARTS = ("query", "of", "bad")
TRAFFIC = Check("traffic", Query(f"sum(increase({SERIES}}}[30s]))", 30.0), Bounds(min=0.5, max=500.0))


def _told(check: Check) -> Story:
    """A release whose first verify asks *check*; the row is what answers."""
    verify = Stage("verify at 20", Verify((check,), every=15.0, count=4, patience=300.0))
    stages = (*STAGES[:2], verify, STAGES[3], *STAGES[5:])
    return Story("asked", replace(PLAIN, stages=stages, guards=(), checks=(check,)), None, V3, 0)


STORY_OF = {"query": _told(TRAFFIC), "of": _told(ERRORS), "bad": _told(ERRORS)}


@cache
def rows() -> list[Mapping[str, Any]]:
    """The table."""
    found: list[Mapping[str, Any]] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return found


def cases() -> Iterator[tuple[int, str, str]]:
    """(row, part, when) for every row of the table."""
    for number in range(len(rows())):
        for part in PARTS:
            yield from ((number, part, when) for when in WHENS)


def answered(number: int, part: str, when: str) -> None:
    """One release in which a row answers; Violation for a verdict that is not the table's, or a false end."""
    row, story = rows()[number], STORY_OF[part]
    wanted = Verdict(row.get(part, Verdict.INCONCLUSIVE.value))
    with private_folder() as folder:
        run = Run(story, quiet(), folder)
        source = Answers(row, part, when, run.sandbox.metrics, run.sandbox.clock)
        run.metrics = source
        stop = run.process()
        if stop is None:
            raise Violation("the process died")
        run.oracle.ended(stop.code, run.live(), story.goal)
        _as_the_table_says(run, source, wanted, row["name"])
        code = _code(wanted, when)
        if stop.code != code:
            raise Violation(
                f"{row['name']}: {wanted} {when} ended with {stop.code}, not {code}: {stop.reason}"
            )


def _code(wanted: Verdict, when: str) -> int:
    """What fails once fails the stage; what says nothing is asked again, until patience ends."""
    if wanted is Verdict.PASSED or (wanted is Verdict.INCONCLUSIVE and when != "always"):
        return 0
    return 3


def _as_the_table_says(run: Run, source: "Answers", wanted: Verdict, name: str) -> None:
    taken = [event for event in run.oracle.journal if isinstance(event, MeasurementTaken)]
    struck = [event for event in taken if round(event.at, 3) in source.struck]
    if not struck:
        raise Violation(f"{name}: nobody asked")
    for event in struck:
        if event.verdict is not wanted:
            raise Violation(f"{name}: {event.verdict}, expected {wanted}: {event.reason}")


class Answers:
    """The world's own metrics, but for the questions that the row answers."""

    def __init__(self, row: Mapping[str, Any], part: str, when: str, inner: Metrics, clock: Clock) -> None:
        self._row, self._part, self._inner = row, part, inner
        self._fires = {"once": lambda n: n == 1, "third": lambda n: n == 3, "always": lambda n: True}[when]
        self._source = Source(row)
        self._adapter = Prometheus(self._source, clock)
        self._asked = 0
        self.struck: set[float] = set()

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        """See `Metrics`."""
        if ("response_code" in expression) != (self._part == "bad"):
            return self._inner.query(expression, at)
        self._asked += 1
        if not self._fires(self._asked):
            return self._inner.query(expression, at)
        self.struck.add(round(at, 3))
        self._source.at = at
        return self._adapter.query(expression, at)


class Source:
    """Answers as the row says; the second question of the adapter is for the newest sample."""

    address = "the table"

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._reply, self._newest = row["reply"], row.get("newest", 0)
        self.at = 0.0

    def fetch(self, fields: Mapping[str, str]) -> Page:
        """One answer of /api/v1/query."""
        if fields["query"].startswith("max("):
            value = [] if self._newest == "none" else [[{}, f"{self.at - self._newest}"]]
            return self._page({"vector": value})
        if "wire" in self._reply:
            raise WireError(self._reply["wire"])
        return self._page(self._reply)

    def _page(self, reply: Mapping[str, Any]) -> Page:
        date = datetime.fromtimestamp(self.at + reply.get("date", 0), UTC)
        headers = {"Content-Type": "application/json", "Date": format_datetime(date, usegmt=True)}
        return Page(reply.get("status", 200), headers | reply.get("headers", {}), self._body(reply))

    def _body(self, reply: Mapping[str, Any]) -> bytes:
        match reply:
            case {"text": text}:
                return str(text).replace("$AT", f"{self.at}").encode()
            case {"bytes": numbers}:
                return bytes(numbers)
            case {"repeat": [text, times]}:
                return str(text).encode() * int(times)
            case {"many": count}:
                return self._vector([[{"pod": f"{n}"}, "1"] for n in range(count)], reply)
            case _:
                return self._vector(reply["vector"], reply)

    def _vector(self, series: list[Any], reply: Mapping[str, Any]) -> bytes:
        result = [
            {"metric": labels, "value": [self.at - (older[0] if older else 0), str(value)]}
            for labels, value, *older in series
        ]
        extra = {name: reply[name] for name in ("warnings", "infos") if name in reply}
        data = {"resultType": "vector", "result": result}
        return json.dumps({"status": "success", "data": data} | extra | reply.get("more", {})).encode()
