"""A run, and whatever people and machines do to it, in any order that Hypothesis can think of.

Rules play some turns, kill, cut the power, resume, edit, order, let time jump, start a second process, or write
from another machine. The oracle looks at every write and at every event, whatever the order.
"""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runner.conductor import Conductor
from runner.engine.actions import Stop
from runner.engine.observations import Order, OrderKind
from runner.errors import LockedError, RunnerError
from runner.journal import JournalFile
from runner.journal.finding import finished
from runner.model.playbook import OnFailure
from runner.model.stages import Approve, OnTimeout, Stage
from runner.stages.sealing import seal
from tests.prove.faults import FaultyJournal, quiet
from tests.prove.oracle import Violation
from tests.prove.simulation import JournalFile_read, Run, private_folder
from tests.prove.stories import BAD, PLAIN, STAGES, V1, V3, Story

EXAMPLES, STEPS = 25, 50
SELDOM = st.sampled_from((False, False, False, True))  # what would end most runs before they have lived
KNOWN = (0, 1, 3, 4, 5, 6, 7)
GATED = replace(
    PLAIN,
    stages=(*STAGES[:3], Stage("go on?", Approve("go on?", 900.0, OnTimeout.HOLD)), *STAGES[3:]),
)
TOLD = (
    Story("gated", GATED, None, V3, 0),
    Story("gated and bad", GATED, BAD, V1, 3),
    Story("held", replace(GATED, on_failure=OnFailure.HOLD), BAD, V1, 5),
    Story("plain", PLAIN, None, V3, 0),
)
ENOUGH = 30  # processes within which a run that nobody disturbs any more must have stood still


class Machine(RuleBasedStateMachine):
    """One run. A process is there while *conductor* is."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = private_folder()
        self.folder = self.shelf.__enter__()
        self.run: Run
        self.conductor: Conductor | None = None
        self.journal: FaultyJournal | None = None

    @initialize(story=st.sampled_from(TOLD), number=st.integers(0, 3))
    def begins(self, story: Story, number: int) -> None:
        self.run = Run(story, quiet(number), self.folder, seed=number)
        self._resume()

    @precondition(lambda self: self.conductor is not None)
    @rule(turns=st.sampled_from((1, 1, 2, 5, 20, 60)))
    def plays(self, turns: int) -> None:
        for _ in range(turns):
            if self._turn() is not None:
                return

    @precondition(lambda self: self.conductor is not None)
    @rule()
    def is_killed(self) -> None:
        self._gone()

    @precondition(lambda self: self.conductor is not None)
    @rule()
    def loses_power(self) -> None:
        self._gone()
        self.run.disk.power_fails(self.run.path)

    @precondition(lambda self: self.conductor is None and not self._is_over())
    @rule()
    def is_resumed(self) -> None:
        self._resume()

    @precondition(lambda self: self.conductor is not None)
    @rule(kind=st.sampled_from(OrderKind))
    def hears(self, kind: OrderKind) -> None:
        self.run.words.due.append(Order(kind, "ann"))

    @precondition(lambda self: self.conductor is None and self.run.path.exists())
    @rule(sure=SELDOM)
    def is_rolled_back_by_command(self, sure: bool) -> None:
        """Finished or not: whoever asks takes the run up, and goes back with it."""
        if sure:
            self.run.words.due = [Order(OrderKind.ROLLBACK, "ann")]
            self._resume()

    @rule(number=st.integers(0, 2), sure=SELDOM)
    def is_edited(self, number: int, sure: bool) -> None:
        if not sure:
            return
        self.run.fate.rng.seed(number)
        self.run.edit()

    @rule(seconds=st.sampled_from((1.0, 5.0, 20.0, 45.0, 120.0, 1000.0, 90_000.0)))
    def time_jumps(self, seconds: float) -> None:
        clock = self.run.sandbox.clock
        clock.sleep_until(clock.now() + seconds)

    @precondition(lambda self: self.conductor is not None)
    @rule()
    def meets_a_second_process(self) -> None:
        """The state file belongs to one process at a time."""
        before = self.run.path.read_bytes()
        try:
            journal, _ = JournalFile.resume(self.run.path)
        except LockedError:
            if self.run.path.read_bytes() != before:
                raise Violation("a process that was refused has written") from None
            return
        journal.close()
        raise Violation("two processes write one state file")

    @precondition(lambda self: self.run.path.exists())
    @rule()
    def is_taken_over_elsewhere(self) -> None:
        """Another machine, with a copy of the state, seals the route; what plays here is superseded."""
        self.run.processes += 1
        epoch = self.run.processes
        try:
            seal(
                self.run.cluster, self.run.story.playbook, "r1", epoch, JournalFile_read(self.run.path).events
            )
        except RunnerError as error:
            self._known(int(error.exit_code), error.message)

    def teardown(self) -> None:
        """In peace, whatever has happened comes to an end, or stands still and says why."""
        try:
            if hasattr(self, "run"):
                self._ends()
        finally:
            if self.journal is not None:
                self.journal.inner.close()
            self.shelf.__exit__(None, None, None)

    def _ends(self) -> None:
        for _ in range(ENOUGH):
            if self.conductor is None:
                if self._is_over():
                    return
                self._resume()
            while self.conductor is not None:
                stop = self._turn()
                if stop is not None and stop.code in (1, 5, 7):
                    return
        raise Violation("the run never stands still")

    def _is_over(self) -> bool:
        return self.run.path.exists() and finished(JournalFile_read(self.run.path))

    def _resume(self) -> None:
        try:
            self.journal, past = self.run.opened()
            self.conductor = self.run.begun(self.journal, past)
        except RunnerError as error:
            self._known(int(error.exit_code), error.message)
            self._gone()

    def _turn(self) -> Stop | None:
        assert self.conductor is not None
        try:
            stop = self.conductor.turn()
        except RunnerError as error:
            stop = Stop(int(error.exit_code), error.message)
        if stop is not None:
            self._gone()
            self._known(stop.code, stop.reason)
        return stop

    def _known(self, code: int, reason: str) -> None:
        if code not in KNOWN or (code and not reason):
            raise Violation(f"exit {code} is no ending: {reason!r}")
        self.run.oracle.ended(code, self.run.live(), self.run.story.goal)

    def _gone(self) -> None:
        if self.journal is not None:
            self.journal.inner.close()
        self.conductor = self.journal = None


def played(
    number: int, *, examples: int = EXAMPLES, steps: int = STEPS, explain: bool = False
) -> dict[str, int]:
    """*examples* machines of *steps* steps, as *number* draws them; *explain* looks for the shortest that breaks."""
    drawn: Any = seed(number)(type("Machine", (Machine,), {}))
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        drawn,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink) if explain else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.normal if explain else Verbosity.quiet,
        ),
    )
    return {"examples": examples, "steps": examples * steps}
