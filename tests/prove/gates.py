"""The gates of the proof: each is a range of integers, and what one integer plays."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from runner.engine.actions import Stop
from runner.engine.observations import Order, OrderKind
from runner.errors import (
    ApplyConflictError,
    ConflictError,
    FieldConflict,
    RunnerError,
    TransientError,
    UnknownOutcomeError,
)
from tests.prove.faults import Counting, Fate, Refusing, Site, quiet
from tests.prove.oracle import Violation
from tests.prove.simulation import History, Run, Words, play, private_folder
from tests.prove.stories import SERVICE, STORIES, Story

MOST_QUESTIONS = 200  # calls that a run makes to a server that never answers, before it says so


class NthCrash(Fate):
    """Dies at the n-th moment at which a process could die, and at no other; a power failure tears the append."""

    def __init__(self, at: int, seed: int = 0) -> None:
        super().__init__(random.Random(seed), {}, left=1)
        self.at, self.seen = at, 0

    def strikes(self, kind: str) -> bool:
        """Counts the moments of one kind only."""
        if kind != "crash":
            return False
        self.seen += 1
        if self.seen == self.at:
            self.struck["crash"] = 1
            return True
        return False


def random_history(seed: int) -> History:
    """Everything at once, as the integer mixes it."""
    return play(seed)


def moments(story: Story) -> int:
    """At how many moments a process of *story* could die."""
    fate = NthCrash(-1)
    play(0, story=story, fate=fate)
    return fate.seen


def crash_points() -> Iterator[tuple[int, int]]:
    """(story, moment) for every moment of every story."""
    for number, story in enumerate(STORIES):
        for at in range(1, moments(story) + 1):
            yield number, at


def crash_at(story: int, at: int, tear: int) -> History:
    """Die at one moment; *tear* chooses how much of a torn append is kept."""
    return play(tear, story=STORIES[story], fate=NthCrash(at, tear))


ERRORS: dict[str, Callable[[], RunnerError]] = {
    "refused": lambda: TransientError("connection refused"),
    "dns": lambda: TransientError("the name does not resolve"),
    "timeout": lambda: UnknownOutcomeError("no answer within 15 s"),
    "reset": lambda: UnknownOutcomeError("the connection was reset"),
    "400": lambda: RunnerError("400 Bad Request"),
    "401": lambda: RunnerError("401: credentials expired"),
    "403": lambda: RunnerError("403 Forbidden"),
    "404": lambda: RunnerError("404: no such kind"),
    "409": lambda: ConflictError("the object has been modified"),
    "409 apply": lambda: ApplyConflictError("conflict", (FieldConflict("argocd", "Apply", ".spec.http"),)),
    "422": lambda: RunnerError("422: the webhook says no"),
    "429": lambda: TransientError("429 Too Many Requests"),
    "500": lambda: UnknownOutcomeError("500 Internal Server Error"),
    "502": lambda: UnknownOutcomeError("502 Bad Gateway"),
    "503": lambda: TransientError("503 Service Unavailable"),
    "504": lambda: UnknownOutcomeError("504 Gateway Timeout"),
    "tls": lambda: RunnerError("the certificate cannot be verified"),
    "not json": lambda: TransientError("the answer is no JSON"),
}
"""The eighteen ways in which an API call fails, as the adapter says them."""
WHENS = ("once", "third", "always")


SOON_OVER = (TransientError, ConflictError)  # what a run waits out


@cache
def sites(story: int) -> tuple[Site, ...]:
    """Every verb and kind with which an undisturbed run of a story calls the API."""
    with private_folder() as folder:
        run = Run(STORIES[story], quiet(), folder)
        counting = Counting(run.sandbox.cluster)
        run.cluster.inner = counting
        run.process()
        return tuple(sorted(counting.calls))


def api_matrix() -> Iterator[tuple[int, Site, str, str]]:
    """(story, site, fault, when) for every call that a story makes."""
    for number in range(len(STORIES)):
        for site in sites(number):
            for fault in ERRORS:
                for when in WHENS:
                    yield number, site, fault, when


def api_fault(story: int, site: Site, fault: str, when: str) -> int:
    """One run in which a call fails in one way; its exit code.

    Violation where that code is no known ending, where a passing fault changes the end of the run, or where the
    run asks again and again without end.
    """
    fires = {"once": lambda n: n == 1, "third": lambda n: n == 3, "always": lambda n: n >= 1}[when]
    with private_folder() as folder:
        run = Run(STORIES[story], quiet(), folder)
        refusing = Refusing(run.sandbox.cluster, site, ERRORS[fault], fires)
        run.cluster.inner = refusing
        stop = run.process()
        if stop is None:
            raise Violation("the process died")
        _known_ending(run, stop)
        _passing_fault(run, stop, refusing, isinstance(ERRORS[fault](), SOON_OVER) and when != "always")
        return stop.code


def _passing_fault(run: Run, stop: Stop, refusing: Refusing, passing: bool) -> None:
    if refusing.struck > MOST_QUESTIONS:
        raise Violation(f"asked {refusing.struck} times")
    told = run.story
    came = (stop.code, run.oracle.weights_of(run.live()))
    if passing and came != (told.code, dict(told.goal)):
        raise Violation(f"a fault that passed changed the end: {came}: {stop.reason}")


def _known_ending(run: Run, stop: Stop) -> None:
    if stop.code not in (0, 1, 3, 4, 5, 6, 7):
        raise Violation(f"exit code {stop.code} is no ending: {stop.reason}")
    run.oracle.ended(stop.code, run.live(), run.story.goal)
    if not stop.reason and stop.code != 0:
        raise Violation(f"exit {stop.code} without a word")


def applied_over(seed: int) -> int:
    """A playbook applies a VirtualService that somebody else has weighed: what is theirs stays theirs."""
    story = next(story for story in STORIES if story.name == "applied")
    with private_folder() as folder:
        run = Run(story, quiet(seed), folder, seed=seed)
        run.sandbox.registry.create(run.sandbox.present(), SERVICE.object, "kubectl-edit")
        run.edit()
        before = run.oracle.weights_of(run.live())
        stop = run.process()
        if stop is None or (run.oracle.weights_of(run.live()) != before and stop.code != 0):
            raise Violation(f"applied over somebody's {before}: {stop}")
        if stop.code == 0 and before != run.oracle.baseline:
            raise Violation(f"played over somebody's {before}")
        return stop.code


@cache
def turns(story: int) -> int:
    """How many turns of the loop an undisturbed run of a story takes."""
    with private_folder() as folder:
        run = Run(STORIES[story], quiet(), folder)
        counter = _AtTurn(10**9, lambda: None)
        run.words = counter  # type: ignore[assignment]  # it polls like the other
        run.process()
        return 10**9 - counter.turn


DISTURBANCES = (
    *(kind.value for kind in (OrderKind.ABORT, OrderKind.ROLLBACK, OrderKind.PAUSE)),
    "edit",
    "host",
    "expiry",
)


def disturbances() -> Iterator[tuple[int, str, int]]:
    """(story, what, turn): each disturbance before every turn of every story."""
    for number in range(len(STORIES)):
        for what in DISTURBANCES:
            yield from ((number, what, turn) for turn in range(turns(number)))


def disturbed(story: int, what: str, turn: int) -> int:
    """An order, somebody's edit, or expired credentials before the *turn*-th turn; the exit code.

    Abort and rollback end at the safe split, pause and expiry where the traffic is, and a resume goes on from
    there; an edit is overwritten by nothing but the way back.
    """
    with private_folder() as folder:
        run = Run(STORIES[story], quiet(turn), folder)
        at_turn = _AtTurn(turn, _doing(run, what))
        run.words = at_turn  # type: ignore[assignment]  # it polls like the other
        stop = run.process()
        if stop is None:
            raise Violation("the process died")
        _known_ending(run, stop)
        weights = run.oracle.weights_of(run.live())
        # A word that comes after the last one changes nothing; whoever gave it goes back by command.
        late = at_turn.came and turn == turns(story) - 1
        if (
            at_turn.came
            and not late
            and what in ("abort", "rollback")
            and stop.code != 5
            and weights.get("v3", 0)
        ):
            raise Violation(f"{what} at turn {turn} left {weights}, exit {stop.code}")
        if at_turn.came and what in ("pause", "expiry"):
            _goes_on(run, stop)
        return stop.code


def _doing(run: Run, what: str) -> Callable[[], Order | None]:
    def expire() -> None:
        run.cluster.inner = _Expired()  # type: ignore[assignment]  # whatever is asked of it, it says no

    match what:
        case "edit":
            return run.edit
        case "host":
            return run.rehost
        case "expiry":
            return expire
        case _:
            return lambda: Order(OrderKind(what), "ann")


class _Expired:
    """A cluster that no longer knows who asks."""

    def __getattr__(self, name: str) -> Any:
        def refused(*_: Any, **__: Any) -> Any:
            raise RunnerError("401: the credentials have expired")

        return refused


def _goes_on(run: Run, stop: Stop) -> None:
    """With fresh credentials, or a person's word, the run ends where an undisturbed one ends."""
    run.cluster.inner = run.sandbox.cluster
    run.words = Words()
    owed = stop.code == 4
    if owed:
        run.words.due = [Order(OrderKind.ROLLBACK, "ann")]
    again = run.process() if owed or not run.over() else stop
    if again is None:
        raise Violation("the process died")
    weights = run.oracle.weights_of(run.live())
    if owed and (again.code, weights) == (0, dict(run.oracle.baseline)):
        return
    if (again.code, weights) != (run.story.code, dict(run.story.goal)):
        raise Violation(f"ended with {again.code} at {weights}: {again.reason}")


class _AtTurn:
    """Something that happens when its turn has come."""

    def __init__(self, turn: int, happens: Callable[[], Order | None]) -> None:
        self.turn, self.happens, self.came = turn, happens, False

    def poll(self) -> list[Order]:
        self.turn -= 1
        if self.turn != -1:
            return []
        self.came = True
        word = self.happens()
        return [] if word is None else [word]


@dataclass
class Rivals:
    """Two processes at one route; the second takes over while the first sleeps in the middle of a write."""

    seed: int

    def play(self) -> None:
        """Violation where the first writes after the second has."""
        rng = random.Random(self.seed)
        story = replace(STORIES[rng.choice((0, 5))])
        with private_folder() as folder:
            run = Run(story, Fate(rng, {}, left=0), folder, seed=self.seed)
            stalled_at = rng.randint(1, 4)
            self._stall(run, stalled_at, rng)
            run.process()

    def _stall(self, run: Run, at: int, rng: random.Random) -> None:
        """Before its *at*-th write the first process sleeps, and the second plays a part of the run."""
        send, seen = run.cluster.inner.replace, [0]

        def stalled(changed):  # type: ignore[no-untyped-def]  # as the port has it
            seen[0] += 1
            if seen[0] == at:
                self._successor(run, rng)
            return send(changed)

        run.cluster.inner = _With(run.cluster.inner, replace=stalled)

    def _successor(self, run: Run, rng: random.Random) -> None:
        """Another machine takes the run up from what the journal says, seals, and plays for a while."""
        from runner.conductor import Conductor, World
        from runner.engine.events import RunResumed
        from runner.engine.evolve import replay
        from runner.engine.state import begin
        from runner.stages.sealing import seal
        from tests.fakes.world import MemoryJournal
        from tests.prove.faults import NobodyElse

        past = list(run.oracle.journal)
        lease = NobodyElse(run.processes + 100)
        journal = MemoryJournal("r1")
        cluster = _With(run.sandbox.cluster)
        world = World(
            cluster, run.sandbox.metrics, run.sandbox.clock, journal, _Silence(), lease, (run.sandbox,)
        )
        second = Conductor(replay(begin(run.program), past), world)
        run.sandbox.clock.sleep_until(run.sandbox.clock.now() + 60)
        second.record(RunResumed(run.sandbox.clock.now()))
        seal(cluster, run.story.playbook, "r1", lease.epoch, past)
        for _ in range(rng.randint(0, 80)):
            if second.turn() is not None:
                break
        run.oracle.epoch = lease.epoch if _epoch(run) else 0


def _epoch(run: Run) -> int:
    from runner.routers.marker import marker_of

    marker = marker_of(run.live())
    return marker.epoch if marker is not None else 0


class _Silence:
    """Nobody says anything."""

    def poll(self) -> list[Order]:
        return []


class _With:
    """A cluster with some of its methods replaced."""

    def __init__(self, inner, **methods) -> None:  # type: ignore[no-untyped-def]
        self._inner, self._methods = inner, methods

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        return self._methods.get(name) or getattr(self._inner, name)


def rivals(seed: int) -> None:
    """Two processes and one route."""
    Rivals(seed).play()
