"""The table of Prometheus answers: `cases/answers.yaml` as checks and evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner.model.checks import (
    Agreement,
    Allow,
    Bounds,
    Check,
    Comparison,
    Query,
    Ratio,
    Reduce,
    Verdict,
)
from runner.model.evidence import Answer, Evidence, NoAnswer, Sample
from runner.model.split import Split, split_of

NOW, SINCE = 1000.0, 900.0
LIVE = split_of({"v1": 80, "v3": 20})
TABLE = yaml.safe_load((Path(__file__).parent / "cases" / "answers.yaml").read_text())


@dataclass(frozen=True)
class Kind:
    """One kind of answer and the verdict on it."""

    name: str
    check: Check
    evidence: Mapping[str, Answer | NoAnswer]
    verdict: Verdict
    since: float
    live: Split | None

    def at(self, now: float) -> Evidence:
        """The same evidence, as it would be *now*."""
        return {part: moved(answer, now - NOW) for part, answer in self.evidence.items()}


def moved(answer: Answer | NoAnswer, by: float) -> Answer | NoAnswer:
    if isinstance(answer, NoAnswer):
        return answer
    samples = tuple(Sample(s.labels, s.value, s.at + by) for s in answer.samples)
    return Answer(samples, answer.warnings, None if answer.newest is None else answer.newest + by)


def kinds() -> list[Kind]:
    return [kind(row) for row in TABLE["kinds"]]


def kind(row: Mapping[str, Any]) -> Kind:
    check = check_of(row["check"], TABLE["checks"][row["check"]])
    evidence = {part: answer_of(row[part]) for part in check.queries if part in row}
    live = None if row.get("live") == "none" else LIVE
    return Kind(row["name"], check, evidence, Verdict(row["verdict"]), row.get("since", SINCE), live)


def check_of(name: str, spec: Mapping[str, Any]) -> Check:
    measure, judgement = measure_of(spec)
    return Check(
        name=name,
        measure=measure,
        judgement=judgement,
        no_data=Verdict(spec.get("noData", "inconclusive")),
        reduce=Reduce(spec["reduce"]) if "reduce" in spec else None,
        allow_warnings=tuple(spec.get("allowWarnings", ())),
    )


def measure_of(spec):
    query = Query("up", 60)
    ratio = Ratio(query, query, spec.get("minSamples", 30))
    if "query" in spec:
        return query, Bounds(**spec["query"])
    if "ratio" in spec:
        return ratio, Bounds(**spec["ratio"])
    if "split" in spec:
        split = dict(spec["split"])
        expect = split_of(split.pop("expect")) if "expect" in split else None
        labels = tuple(split.pop("labels", {}).items())
        return query, Agreement(route="reviews", expect=expect, labels=labels, **split)
    comparison = Comparison(ratio, ratio, Allow(spec["compare"]["allow"]), spec["compare"]["allowance"])
    return comparison, comparison


def answer_of(spec: Any) -> Answer | NoAnswer:
    if isinstance(spec, list):
        return Answer(tuple(Sample({"pod": str(n)}, float(value), NOW) for n, value in enumerate(spec)))
    if not isinstance(spec, dict):
        return Answer((Sample({}, float(spec), NOW),))
    if "error" in spec:
        return NoAnswer(spec["error"])
    if "series" in spec:
        labels = [{"pod": "x" * spec.get("padding", 0) + str(n)} for n in range(spec["series"])]
        return Answer(tuple(Sample(label, float(spec["value"]), NOW) for label in labels))
    samples = tuple(Sample(s[0], float(s[1]), float(s[2] if len(s) > 2 else NOW)) for s in spec["samples"])
    return Answer(samples, tuple(spec.get("warnings", ())), spec.get("newest"))
