"""One measurement: the queries as sent, the answers as they came, the judge's word on them."""

from collections.abc import Mapping
from typing import Any

from runner.conductor.world import World
from runner.engine.actions import Measure
from runner.engine.events import MeasurementTaken
from runner.engine.judge import judge
from runner.engine.measuring import looks_before, looks_planned
from runner.engine.state import RunState
from runner.errors import RunnerError
from runner.model.checks import Agreement, Check
from runner.model.evidence import Answer, NoAnswer
from runner.model.split import Split
from runner.ports import Cluster
from runner.promql.shorten import shorten
from runner.routers import istio
from runner.stages.shift import gone, live


def measure(action: Measure, state: RunState, world: World) -> MeasurementTaken:
    """Ask the metrics source for every query of the check, and judge what it said.

    DisagreementError where the check compares with the weights of an object that somebody has deleted.
    """
    now = world.clock.now()
    queries = sent(action.check, now, action.since)
    answers = {part: world.metrics.query(text, now) for part, text in queries.items()}
    split = _live_split(action.check, state, world.cluster)
    earlier, looks = looks_before(action, state), looks_planned(action, state)
    judged = judge(
        action.check, answers, now=now, since=action.since, live=split, earlier=earlier, looks=looks
    )
    return MeasurementTaken(
        at=now,
        check=action.check.name,
        value=judged.value,
        verdict=judged.verdict,
        reason=judged.reason,
        stage=action.stage,
        guard=action.guard,
        evidence={
            "queries": queries,
            "answers": {part: raw(answer) for part, answer in answers.items()},
            "facts": judged.facts,
            "live": None if split is None else split.as_dict(),
            "since": action.since,
            "looks": looks,
        },
    )


def sent(check: Check, now: float, since: float | None) -> dict[str, str]:
    """The queries with their windows cut at *since*: older samples belong to another split."""
    texts = {part: query.text for part, query in check.queries.items()}
    if since is None:
        return texts
    return {part: shorten(text, now - since) for part, text in texts.items()}


def raw(answer: Answer | NoAnswer) -> Mapping[str, Any]:
    """An answer as the journal keeps it; values are text, since JSON has no NaN."""
    if isinstance(answer, NoAnswer):
        return {"error": answer.reason}
    series = [
        {"labels": dict(sample.labels), "value": repr(sample.value), "at": sample.at}
        for sample in answer.samples
    ]
    return {"series": series, "warnings": list(answer.warnings), "newest": answer.newest}


def _live_split(check: Check, state: RunState, cluster: Cluster) -> Split | None:
    """The weights at this moment, for a check that compares with them; None where they cannot be read."""
    if not isinstance(check.judgement, Agreement) or check.judgement.route is None:
        return None
    playbook = state.program.playbook
    route = playbook.route(check.judgement.route)
    try:
        found = live(cluster, route)
        split = None if found is None else istio.read(found, route)
    except RunnerError:
        return None
    known = state.routes[route.name].split
    if found is None and known is not None:
        raise gone(route, known, playbook)
    return split
