"""A run taken up again: its journal, its recorded playbook, and the place where it was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place, Reach
from runner.cli.recording import accepting, means, recorded_playbook, refuse_other_cluster
from runner.cli.states import ClusterState, Kept, State
from runner.engine.events import Event, RunResumed, SplitChanged
from runner.engine.evolve import ACCEPTED
from runner.engine.observations import Order
from runner.errors import DisagreementError
from runner.journal import Record
from runner.model.playbook import Playbook
from runner.model.split import Split
from runner.routers import istio
from runner.stages.shift import live


@dataclass(frozen=True, slots=True)
class Reopened:
    """What is needed to go on."""

    playbook: Playbook
    place: Place
    journal: Kept
    state: State
    record: Record


def reopen(state: State, reach: Reach, speed: float | None) -> Reopened:
    """Lock the journal, rebuild the playbook, find the place again."""
    journal, record = state.resume()
    try:
        playbook = recorded_playbook(record)
        place = _place(record, state, playbook, reach, speed)
    except BaseException:
        journal.close()
        raise
    return Reopened(playbook, place, journal, state, record)


def place_of_record(state: State, record: Record, reach: Reach, speed: float | None) -> Place:
    """Where a recorded run takes place, for whoever does not write its journal."""
    return _place(record, state, recorded_playbook(record), reach, speed)


def _place(record: Record, state: State, playbook: Playbook, reach: Reach, speed: float | None) -> Place:
    target = record.started.target
    if target.get("sandbox"):
        log = Path(f"{state.path}.world")
        return bootstrap.back_in_sandbox(log, playbook, at=record.events[-1].at, speed=speed)
    reach, clock = _recorded(reach, state, record), bootstrap.real_clock()
    place = bootstrap.on_cluster(reach, playbook, record.run, clock, partial(click.echo, err=True))
    refuse_other_cluster(record, place)
    return place


def _recorded(reach: Reach, state: State, record: Record) -> Reach:
    """What the command line does not say is as it was; a state in a cluster is in the one that it speaks of."""
    target = record.started.target
    known = replace(
        reach,
        prometheus=reach.prometheus or target.get("prometheus"),
        playbook=record.started.source or None,
    )
    if isinstance(state, ClusterState):
        return known
    return replace(
        known,
        kubeconfig=reach.kubeconfig or target.get("kubeconfig"),
        context=reach.context or target.get("context"),
    )


def resumed(at: float) -> Event:
    """The event with which a process takes up a run."""
    return RunResumed(at, bootstrap.who())


def session_facts(reopened: Reopened, *orders: Order) -> dict[str, Any]:
    """The parts of a session that every way of taking up a run shares."""
    return {
        "playbook": reopened.playbook,
        "place": reopened.place,
        "journal": reopened.journal,
        "state": reopened.state,
        "past": reopened.record.events,
        "first": (resumed(reopened.place.clock.now()),),
        "orders": orders,
    }


def accepted(reopened: Reopened, digests: Sequence[str]) -> tuple[Event, ...]:
    """The live splits that a person accepts by their *digests*, as if this run had set them.

    DisagreementError for a digest that means none of them.
    """
    if not digests:
        return ()
    at, changes, seen = reopened.place.clock.now(), [], []
    last = {event.route: event.to for event in reopened.record.events if isinstance(event, SplitChanged)}
    for route in reopened.playbook.routes:
        found = live(reopened.place.cluster, route)
        if found is None:
            continue
        known = last.get(route.name)
        seen.append(_Live(route.name, known, istio.read(found, route), istio.digest(found, route)))
        if any(means(given, seen[-1].digest) for given in digests):
            changes.append(SplitChanged(at, route.name, known, seen[-1].split, ACCEPTED))
    for given in digests:
        if not any(means(given, item.digest) for item in seen):
            raise _means_nothing(reopened.record, given, seen)
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class _Live:
    """A route as it is recorded and as it is."""

    route: str
    recorded: Split | None
    split: Split
    digest: str

    @property
    def drifted(self) -> bool:
        """Whether somebody else has moved it."""
        return self.recorded is not None and self.recorded != self.split


def _means_nothing(record: Record, given: str, seen: Sequence[_Live]) -> DisagreementError:
    lines = "".join(
        f"\n  {item.route}: recorded {item.recorded or 'nothing'}, live {item.split}, digest {item.digest}"
        for item in seen
    )
    drifted = [item.digest for item in seen if item.drifted]
    why = "go on from what is live" if drifted else "no split has drifted; go on without it"
    return DisagreementError(
        f"--accept-drift {given!r} is the digest neither of a live split nor of a playbook that has changed{lines}",
        hint=f"{why}: {accepting(record, drifted)}",
    )
