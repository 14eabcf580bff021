"""What a shift looks at before it writes."""

from dataclasses import replace

from runner.engine.events import StageFailed
from runner.model.split import canary_split
from runner.model.stages import Shift, Stage
from tests.fakes.release import NS, Play, cluster, playbook, pod


def of_three_pods():
    """Three pods of v1, one of v3."""
    more = [pod("v1"), pod("v1")]
    for number, extra in enumerate(more):
        extra["metadata"]["name"] = f"reviews-v1-{number}"
    found = cluster()
    for extra in more:
        found.create(extra)
    return found


def half(**changes):
    shift = Shift("reviews", canary_split("v1", "v3", 50), **changes)
    return replace(playbook(), stages=(Stage("shift 50/50", shift),))


def test_canary_with_too_few_pods_for_its_share_is_refused_with_both_ways_out():
    play = Play(half(), at=of_three_pods())

    stop = play.start()

    failed = next(event for event in play.journal.events if isinstance(event, StageFailed))
    assert stop.code == 3
    assert "subset v3 has 1 ready pod, its 50 % of what served before needs 2" in failed.reason
    assert "scale it up before the shift, or write `capacity: ignore` in the shift" in failed.reason


def test_capacity_ignore_shifts_all_the_same():
    play = Play(half(ignore_capacity=True), at=of_three_pods())

    assert play.start().code == 0
    assert play.cluster.weights(NS, "reviews") == {"v1": 50, "v3": 50}


def test_an_edit_between_the_look_and_the_write_is_not_overwritten():
    """The write is conditional on what the look has read."""
    play, edits = Play(), []

    def somebody(verb, what):
        if (verb, what) == ("replace", "VirtualService/reviews") and len(play.cluster.writes) == 1:
            edits or edits.append(play.cluster.edit("VirtualService", NS, "reviews", _to_forty))

    play.cluster.before.append(somebody)
    stop = play.start()

    assert stop.code == 7
    assert edits
    assert play.cluster.weights(NS, "reviews") == {"v1": 60, "v3": 40}


def _to_forty(found):
    for item, weight in zip(found["spec"]["http"][0]["route"], (60, 40), strict=True):
        item["weight"] = weight
