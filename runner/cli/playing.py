"""What `play`, `resume`, `rollback` and `abort` share: a run with its journal, its place and its watchers."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.adapters.attention import Attention
from runner.bootstrap import Place
from runner.cli.answering import Answers
from runner.cli.states import Kept, State
from runner.cli.watching import Watchers, Wishes
from runner.conductor import Conductor, World
from runner.engine.events import Event, Outcome, RunFinished
from runner.engine.evolve import replay
from runner.engine.observations import Order
from runner.engine.state import begin
from runner.errors import ExitCode, LockedError, RollbackUnverifiedError, RunnerError
from runner.journal.finding import handle_of
from runner.model.playbook import Playbook
from runner.ports import Listener, Orders
from runner.stages.kinds import compile_playbook
from runner.stages.sealing import seal


@dataclass(frozen=True, slots=True)
class Session:
    """One process's part in a run: the journal so far, what it adds first, and how far it is to go.

    *fresh* are events of the past, with their lines, that nobody has been told yet.
    """

    playbook: Playbook
    place: Place
    journal: Kept
    state: State
    past: tuple[Event, ...]
    fresh: tuple[tuple[Event, str], ...] = ()
    first: tuple[Event, ...] = ()
    orders: tuple[Order, ...] = ()
    until: str | None = None
    accept_live: bool = False


def carry_on(session: Session, wishes: Wishes) -> int:
    """Play until the run stands still; the exit code."""
    handle = handle_of(session.state.path, session.journal.run)
    virtual = bool(session.place.target.get("sandbox")) and wishes.speed is None
    watchers = Watchers(
        session.journal.run,
        handle,
        session.playbook,
        wishes,
        session.past,
        instant=virtual,
        served=session.place.served,
    )
    answers = Answers(at_terminal=sys.stdin.isatty(), waits=virtual, typed=watchers.typed)
    attention = Attention(session.state.orders(), answers, held=answers.holds)
    with attention.listening(watchers.interrupted, lambda: watchers.parting(handle)):
        code = _watched(session, watchers, answers, attention, handle)
        watchers.last_words(handle, session.place.failures)
    if watchers.outcome is Outcome.ROLLED_BACK and not session.orders:
        return int(ExitCode.REJECTED)  # somebody else's order: not the end that this process was asked for
    return code


def _watched(
    session: Session, watchers: Watchers, answers: Answers, attention: Attention, handle: str
) -> int:
    """Play while people watch; what breaks the run off is followed by where it leaves the canary."""
    try:
        with watchers.watching(session.place.notes, session.place.doubts):
            for event, line in session.fresh:
                watchers.heard(event, line)
            return played(session, (*session.place.listeners, watchers, answers), attention)
    except Exception as error:
        watchers.note_exposed(error, handle)
        raise
    finally:
        session.journal.close()


def played(session: Session, listeners: Sequence[Listener], orders: Orders) -> int:
    """Take the right to write, play until the run stands still, and give it back; the exit code."""
    for event in session.past:
        # A process may have died between making an event durable and telling its place of it.
        for listener in session.place.listeners:
            listener.heard(event, "")
    session.place.acquire(session.playbook)
    try:
        session = _caught_up(session, listeners)
        conductor = _conductor(session, listeners, orders)
        conductor.record(*session.first)
        if session.first:
            epoch = session.place.lease.epoch
            seal(session.place.cluster, session.playbook, session.journal.run, epoch, session.past)
            if not session.orders:  # who is ordered back goes back from anywhere
                conductor.look_around()
        for order in session.orders:
            conductor.notice(order)
        return _to_the_end(conductor)
    finally:
        session.place.lease.release()


def _caught_up(session: Session, listeners: Sequence[Listener]) -> Session:
    """Whoever had the right to write may have used it while it was waited for. LockedError where it ended the run."""
    late = session.journal.news()
    for event, line in late:
        for listener in listeners:
            listener.heard(event, line)
    past = (*session.past, *(event for event, _ in late))
    if late and isinstance(past[-1], RunFinished) and not session.orders:
        raise LockedError(
            f"another process has ended run {session.journal.run}, while this one waited for its lease",
            hint=f"see how: runner status {handle_of(session.state.path, session.journal.run)}",
        )
    return replace(session, past=past)


def _to_the_end(conductor: Conductor) -> int:
    """What breaks off a run breaks off its rollback too, where one has begun. RollbackUnverifiedError says so."""
    try:
        return conductor.play().code
    except LockedError:
        raise  # whoever has taken the run over answers for its way back
    except RunnerError as error:
        back = conductor.state.rollback
        if back is None or back.verified:
            raise
        raise RollbackUnverifiedError(error.message, hint=error.hint) from error


def _conductor(session: Session, listeners: Sequence[Listener], orders: Orders) -> Conductor:
    place = session.place
    program = compile_playbook(session.journal.run, session.playbook)
    state = begin(program, until=session.until, accept_live=session.accept_live)
    world = World(
        cluster=place.cluster,
        metrics=place.metrics,
        clock=place.clock,
        journal=session.journal,
        orders=orders,
        lease=place.lease,
        listeners=listeners,
    )
    return Conductor(replay(state, session.past), world)
