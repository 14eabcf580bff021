"""The loop: ask the engine, do as it says, tell it what came of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from runner.conductor.measuring import measure
from runner.conductor.world import World
from runner.engine.actions import Action, Look, Measure, Perform, Probe, Record, Sleep, Stop
from runner.engine.decide import decide
from runner.engine.events import EffectDone, EffectIntended, Event, Ref, RunResumed, SplitChanged
from runner.engine.evolve import evolve
from runner.engine.observations import (
    Broken,
    Noticed,
    Observation,
    Reached,
    Readiness,
    Refused,
    RouteSeen,
    Trouble,
    Unrecorded,
)
from runner.engine.program import ApplyObject, Effect, SetReplicas, SetSplit
from runner.engine.state import RunState
from runner.errors import (
    ConflictError,
    DisagreementError,
    ExitCode,
    RunnerError,
    StageFailure,
    TransientError,
)
from runner.model.playbook import API_PATIENCE
from runner.stages import apply, scale, shift
from runner.stages.meeting import meet
from runner.stages.readiness import look
from runner.stages.sealing import refuse_moved
from runner.stages.writing import Setting, Write

# Whoever sent a signal does not wait.
INTERRUPTIONS = (ExitCode.HANGUP, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
OVERSLEPT = 60.0  # seconds late: a laptop was shut, or the process stopped; no busy machine is that slow
UNRECORDED = ExitCode.ERROR  # where all went well, and the journal could not be told


class Conductor:
    """Plays one run until it stands still.

    What happens counts at once and is made durable in the same turn. A journal that is out of reach does not stop
    time: events wait for it, guards go on, and nothing is done to the cluster before all of them are durable.
    """

    def __init__(self, state: RunState, world: World) -> None:
        self.state = state
        self.world = world
        self._waiting: list[Event] = []  # events that count and are not yet durable
        self._silent: set[str] = set()  # what did not answer when it was last asked, in long waits too

    def play(self) -> Stop:
        """Go on until the engine says stop."""
        while True:
            stop = self.turn()
            if stop is not None:
                return stop

    def turn(self) -> Stop | None:
        """Ask the engine once, and do as it says."""
        for word in self.world.orders.poll():
            self.notice(word)
        self._keep_lease()
        now = self.world.clock.now()
        for listener in self.world.listeners:
            listener.tick(now)
        action = decide(self.state, now)
        if isinstance(action, Stop):
            return self._leave(action)
        self._do(action)
        return None

    def record(self, *events: Event) -> None:
        """Let *events* count, and make them durable, or as soon as the journal can be reached."""
        self._count(*events)
        self._catch_up()
        if self._waiting:
            for event in events:
                self._tell(Unrecorded(event))

    def _count(self, *events: Event) -> None:
        """What a proven effect came to needs no more than this: the next durable step takes it along.

        A crash in between leaves the effect pending, and its object shows on resume that it took place.
        """
        self._waiting.extend(events)
        for event in events:
            self.state = evolve(self.state, event)

    def _settle(self) -> None:
        """Make everything durable that counts, and tell. TransientError where the journal is out of reach."""
        if not self._waiting:
            return
        lines = self.world.journal.append(tuple(self._waiting))
        events, self._waiting = self._waiting, []
        for event, line in zip(events, lines, strict=True):
            for listener in self.world.listeners:
                listener.heard(event, line)

    def _catch_up(self) -> None:
        """Settle where that is possible now."""
        self._ask("journal", self._settle)

    def _leave(self, stop: Stop) -> Stop | None:
        """Stand still once everything is durable; where that cannot be, as long as patience lasts, without.

        None for going on waiting. Success that cannot be recorded is none.
        """
        self._catch_up()
        trouble = self.state.trouble
        if not self._waiting or trouble is None:
            return stop
        hurried = self.state.interrupted is not None or stop.code in INTERRUPTIONS
        if not hurried and self.world.clock.now() - trouble.since <= API_PATIENCE:
            self.world.clock.sleep_until(trouble.next_at)
            return None
        for event in self._waiting:
            for listener in self.world.listeners:
                listener.heard(event, "")
        return Stop(stop.code or int(UNRECORDED), stop.reason)

    def _do(self, action: Action) -> None:
        match action:
            case Record(events=events):
                self.record(*events)
            case Sleep(until=until):
                self._catch_up()
                self._sleep(until)
            case Measure():
                self._catch_up()
                self._measure(action)
            case Look() | Probe() | Perform():
                self._reach(action)
            case Stop():
                raise AssertionError
            case _:
                assert_never(action)

    def _sleep(self, until: float) -> None:
        """Who wakes up long after there was something to do has watched nothing, and takes the run up anew."""
        self.world.clock.sleep_until(until)
        now = self.world.clock.now()
        if now - until > OVERSLEPT and self.state.rollback is None and self.state.interrupted is None:
            self.record(RunResumed(now))

    def _measure(self, action: Measure) -> None:
        try:
            taken = measure(action, self.state, self.world)
        except DisagreementError as error:
            self._refuse(error)
        else:
            self.record(taken)

    def _refuse(self, error: RunnerError) -> None:
        reason = f"{error.message}\n{error.hint}" if error.hint else error.message
        self.notice(Refused(reason, int(error.exit_code)))

    def _keep_lease(self) -> None:
        """Also in a long wait: who holds a lease shows it, and credentials that expire are noticed there."""
        try:
            self._ask("lease", self.world.lease.renew)
        except RunnerError as error:
            self.notice(Refused(error.message, int(error.exit_code)))

    def _ask(self, whom: str, ask: Callable[[], None]) -> None:
        """Ask, unless it was silent just now; only what was silent can say that the cluster answers again."""
        if whom in self._silent and self._left_alone():
            return
        try:
            ask()
        except TransientError as error:
            self._silent.add(whom)
            self.notice(self._trouble(error))
        else:
            if whom in self._silent:
                self._silent.remove(whom)
                self.notice(Reached())

    def _left_alone(self) -> bool:
        """Whether the cluster did not answer, and is not to be asked again yet."""
        trouble = self.state.trouble
        return trouble is not None and self.world.clock.now() < trouble.next_at

    def look_around(self) -> None:
        """After a time in which nobody played: what somebody else has moved is known before anything waits there."""
        program = self.state.program
        try:
            refuse_moved(self.world.cluster, program.playbook, program.run, self.state.held)
        except DisagreementError as error:
            self._refuse(error)

    def notice(self, observation: Noticed) -> None:
        self.state = evolve(self.state, observation)
        self._tell(observation)

    def _tell(self, observation: Observation) -> None:
        for listener in self.world.listeners:
            listener.noticed(observation)

    def _reach(self, action: Look | Probe | Perform) -> None:
        """Whatever speaks to the cluster: what goes wrong there is an observation, the engine says what follows."""
        try:
            match action:
                case Look():
                    self._settle()
                    self._look(action)
                case Probe():
                    self._settle()
                    self._probe(action)
                case Perform():
                    self._perform(action)
        except (TransientError, ConflictError) as error:
            self.notice(self._trouble(error))
        except StageFailure as error:
            self.notice(Broken(error.message))
        except RunnerError as error:
            self._refuse(error)
        else:
            self._silent.clear()
            self.notice(Reached())

    def _trouble(self, error: TransientError | ConflictError) -> Trouble:
        wish = error.retry_after if isinstance(error, TransientError) else None
        return Trouble(self.world.clock.now(), error.message, wish)

    def _look(self, action: Look) -> None:
        route = self.state.program.playbook.route(action.route)
        met = meet(self.world.cluster, route, self.state.program.run)
        self.notice(RouteSeen(action.route, met.split, met.unfinished))

    def _probe(self, action: Probe) -> None:
        safe = {name: route.safe for name, route in self.state.routes.items()}
        seen = look(action.condition, self.state.program.playbook, self.world.cluster, safe)
        at = self.world.clock.now()
        self.notice(Readiness(at, action.step, seen.ready, seen.reason, seen.fatal, seen.missing))

    def _perform(self, action: Perform) -> None:
        """Intent, conditional write, read-back, record."""
        self.world.lease.renew()
        setting = self._setting(action)
        write = prepare(action.effect, setting)
        if setting.pending is None or setting.pending.ref != action.ref:
            at = self.world.clock.now()
            self._count(EffectIntended(at, action.ref, write.want, write.found))
        self._settle()
        result = {**write.result, **(write.send() if write.send is not None else {})}
        self._prove(write)
        at = self.world.clock.now()
        moves = (SplitChanged(at, m.route, m.before, m.after, action.ref.stage) for m in write.moves)
        # The effect is done last: power may fail between two lines, and what is not done is looked at again.
        self._count(*moves, EffectDone(at, action.ref, result))

    def _setting(self, action: Perform) -> Setting:
        return Setting(
            cluster=self.world.cluster,
            playbook=self.state.program.playbook,
            routes=self.state.routes,
            run=self.state.program.run,
            epoch=self.world.lease.epoch,
            ref=action.ref,
            pending=self._pending(action.ref),
        )

    def _pending(self, ref: Ref) -> EffectIntended | None:
        """The intent of this very effect, by this attempt or an earlier one."""
        back = self.state.rollback
        going = back is not None and back.verified is None
        known = (back.work.pending,) if back is not None and going else self.state.unknown
        same = (item for item in known if item is not None and replace(item.ref, attempt=ref.attempt) == ref)
        return next(same, None)

    def _prove(self, write: Write) -> None:
        if write.proof is None:
            return
        wrong = write.proof(self.world.cluster.get(write.target))
        if wrong is not None:
            raise DisagreementError(f"{write.target} was written, but reading it back shows that {wrong}")


def prepare(effect: Effect, setting: Setting) -> Write:
    """The stage module that knows the effect prepares its one write."""
    match effect:
        case ApplyObject():
            return apply.prepare(effect, setting)
        case SetSplit():
            return shift.prepare(effect, setting)
        case SetReplicas():
            return scale.prepare(effect, setting)
        case _:
            assert_never(effect)
