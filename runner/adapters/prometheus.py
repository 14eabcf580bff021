"""The Metrics port on a Prometheus, or anything that speaks its HTTP API.

Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/
Nothing here judges: a value may be NaN, a warning is kept, and whatever is no answer says why.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from runner.adapters.metrics_source import DEADLINE, Source
from runner.adapters.wire import Page, WireError
from runner.errors import RunnerError
from runner.foreign import json_of
from runner.model.evidence import Answer, NoAnswer, Sample
from runner.ports import Clock
from runner.promql import PromQLError, inspect
from runner.secrecy import hide

MOST_SERIES = 100
MOMENTS = 12  # of a window, at which the last sample of a lost series is looked for
SKEW = 30.0  # seconds that two clocks may differ; the Date of an answer is cut to whole seconds
SHOWN = 200  # characters of the source's own words
PARTIAL = "the answer is partial"
NUMBER = re.compile(r"NaN|[+-]?Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class UnexpectedError(Exception):
    """The answer is not what the API promises."""


class Prometheus:
    """Instant queries; never raises, as the port says."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    def query(self, expression: str, at: float) -> Answer | NoAnswer:
        """Every series of *expression* at *at*, and the time of the newest raw sample that it could read.

        That time costs a second query: what an instant query returns carries the time of the question, so
        it cannot show that a target was lost minutes ago.
        """
        answer = self._ask(expression, at)
        if isinstance(answer, NoAnswer) or not answer.samples:
            return answer
        return replace(answer, newest=self._newest(expression, at))

    def _newest(self, expression: str, at: float) -> float | None:
        question = newest_question(expression)
        if question is None:
            return None
        answer = self._ask(question, at)
        if isinstance(answer, NoAnswer):
            return None
        return max((sample.value for sample in answer.samples), default=None)

    def _ask(self, expression: str, at: float) -> Answer | NoAnswer:
        fields = {
            "query": expression,
            "time": f"{at:.3f}",
            "timeout": f"{DEADLINE:.0f}s",
            "partial_response": "false",  # Thanos: no silent half of an answer
        }
        try:
            page = self._source.fetch(fields)
            return _answer(page, self._clock.now())
        except WireError as error:
            return NoAnswer(f"{self._source.address}: {error.reason}")
        except RunnerError as error:
            return NoAnswer(error.message)
        except UnexpectedError as error:
            return NoAnswer(f"{self._source.address} {error}")


def newest_question(expression: str) -> str | None:
    """PromQL for the time of the newest raw sample that *expression* reads; None where it reads none.

    Selectors with an offset or `@` are left out: their samples are old on purpose.
    """
    try:
        selectors = inspect(expression).selectors
    except PromQLError:
        return None
    elsewhen = "@" in expression or "offset" in expression
    asked = (_times(s.text, s.window) for s in selectors if not elsewhen or s.reach == (s.window or 0.0))
    parts = list(dict.fromkeys(asked))
    if len(parts) > 1:  # marked, or `or` would keep only the first of two series with equal labels
        parts = [f'label_replace({part}, "part", "{n}", "", "")' for n, part in enumerate(parts)]
    return f"max({' or '.join(parts)})" if parts else None


def _times(selector: str, window: float | None) -> str:
    """When each series of *selector* was sampled last; a lost target's too, as long as the window holds samples.

    A lost series ends with a mark that an instant selector obeys, so the moments before are asked as well.
    """
    now = f"timestamp({selector})"
    if window is None:
        return now
    step = max(1, round(window / MOMENTS))
    return f"({now} or max_over_time({now}[{window:.0f}s:{step}s]))"


def _answer(page: Page, now: float) -> Answer | NoAnswer:
    if 300 <= page.status < 400:
        place = page.headers.get("Location", "elsewhere")[:SHOWN]
        raise UnexpectedError(f"sends us on to {place}; redirects are not followed, write that address")
    body = _json(page)
    if body.get("kind") == "Status":
        return NoAnswer(f"the API server's service proxy: {_short(body.get('message'))}")
    if body.get("status") != "success":
        kind = _short(body.get("errorType") or page.status)
        return NoAnswer(f"Prometheus says {kind}: {_short(body.get('error') or 'no reason given')}")
    if page.status != 200:
        raise UnexpectedError(f"answered {page.status}")
    data = body.get("data")
    if not isinstance(data, dict):
        raise UnexpectedError("answered without data")
    samples = _samples(data)
    if len(samples) > MOST_SERIES:
        return NoAnswer(
            f"{len(samples)} series, more than {MOST_SERIES}: aggregate, for example with sum by (...)"
        )
    return Answer(samples, (*_warnings(body), *_skew(page, now)))


def _json(page: Page) -> dict[str, Any]:
    try:
        body = json_of(page.body)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    kind = page.headers.get("Content-Type", "no type").split(";")[0]
    raise UnexpectedError(f"answered {page.status} with {kind}, expected the JSON of a Prometheus")


def _samples(data: Mapping[str, Any]) -> tuple[Sample, ...]:
    kind, result = data.get("resultType"), data.get("result")
    if not isinstance(result, list):
        raise UnexpectedError("answered without a result")
    match kind:
        case "vector":
            return tuple(_sample(series) for series in result)
        case "scalar":
            return (_sample({"metric": {}, "value": result}),)
        case "matrix":
            raise UnexpectedError(
                "answered with values over time, expected one value a series: drop the [range]"
            )
        case _:
            raise UnexpectedError(f"answered with a {_short(kind)}, expected numbers")


def _sample(series: Any) -> Sample:
    if isinstance(series, dict) and "histogram" in series:
        raise UnexpectedError("answered with a native histogram; use histogram_quantile or histogram_count")
    match series:
        case {"metric": dict(labels), "value": [int() | float() as at, str(text)]} if NUMBER.fullmatch(text):
            return Sample({str(k): str(v) for k, v in labels.items()}, float(text), float(at))
        case _:
            raise UnexpectedError("answered with a sample that is none")


def _warnings(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings make an answer partial; infos do not (before 3.0 they stood among the warnings).

    VictoriaMetrics' cluster says it by a word of its own: https://docs.victoriametrics.com/cluster-victoriametrics/
    """
    warnings = body.get("warnings") or []
    if not isinstance(warnings, list):
        raise UnexpectedError("answered with warnings that are no list")
    told = tuple(_short(text) for text in warnings if not str(text).startswith("PromQL info"))
    return (*told, PARTIAL) if body.get("isPartial") else told


def _skew(page: Page, now: float) -> tuple[str, ...]:
    """Two clocks apart make "the last minute" mean two things."""
    try:
        there = parsedate_to_datetime(page.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return ()
    apart = there - now
    if abs(apart) <= SKEW:
        return ()
    return (f"its clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the clock of this run",)


def _short(text: Any) -> str:
    return hide(str(text))[:SHOWN]
