"""`play`, `resume` and `rollback` as `runner.cli` does them, in the sandbox's world, on real leases and journals."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.adapters.lease import ClusterLease
from runner.bootstrap import Place, take_leases
from runner.cli.by_marker import take_over
from runner.cli.playing import Session, played
from runner.cli.recording import first_event, recorded_playbook
from runner.cli.reopening import Reopened, accepted, session_facts
from runner.cli.states import ClusterState, FileState, State, refuse_existing
from runner.document.playbook import read_playbook
from runner.engine.observations import Interrupted, Order, OrderKind
from runner.errors import RunnerError, UsageError
from runner.journal.codec import encoded
from runner.journal.finding import finished
from runner.journal.parts import ConfigMapName
from runner.ports import ObjectRef
from runner.routers import istio
from runner.stages.meeting import refuse_half_way
from runner.stages.shift import live
from tests.prove.turns import Process
from tests.rig import disturbances

NS = "bookinfo"
SILENCE = 15.0  # seconds after which `rollback` no longer waits for an answer


class Ears:
    """What a process hears: signals, and orders left beside its state."""

    def __init__(self, state: State) -> None:
        self._orders = state.orders()
        self.signals: list[Interrupted] = []

    def poll(self) -> Sequence[Order | Interrupted]:
        heard, self.signals = self.signals, []
        return (*heard, *self._orders.poll())


class Commands:
    """The commands of one scenario; each raises RunnerError as the real ones do."""

    def __init__(self, scenario: disturbances.Scenario, folder: Path) -> None:
        self.loaded = read_playbook(disturbances.PLAYBOOK, variables=scenario.variables, namespace=NS)
        self._scenario, self._folder = scenario, folder
        self._ears: dict[int, Ears] = {}
        self._numbers = 0

    def run(self, command: str, twin: Any, process: Process) -> int:
        """The exit code of *command*."""
        state = self._state("other" if command == "play other" else "run", twin, process)
        match command:
            case "play" | "play other" | "play again":
                return self._play(state, twin, process)
            case "resume":
                return self._resume(state, twin, process, accept=False)
            case "accept":
                return self._resume(state, twin, process, accept=True)
            case "rollback":
                return self._rollback(state, twin, process)
            case _:
                raise NotImplementedError(command)

    def signal(self, process: Process, what: Interrupted) -> None:
        """It is heard at the next turn of the loop."""
        self._ears[id(process)].signals.append(what)

    def lines(self, twin: Any) -> list[dict[str, Any]]:
        """The journal of the first run, event by event."""
        record = self._state("run", twin, None).read()
        return [json.loads(line) for line in encoded(record.run, record.events)]

    def _state(self, name: str, twin: Any, process: Process | None) -> State:
        if self._scenario.state == "file":
            return FileState(self._folder / f"{name}.jsonl")
        if process is None:
            return ClusterState(ConfigMapName(NS, name), Witness(twin.world), twin.turns.clock)
        return ClusterState(ConfigMapName(NS, name), twin.reached_by(process), process)

    def _place(self, run: str, twin: Any, process: Process) -> Place:
        cluster = twin.reached_by(process)
        self._numbers += 1
        lease = ClusterLease(cluster, process, f"{run}@twin/{self._numbers}")
        return Place(
            cluster=cluster,
            metrics=twin.world.metrics,
            clock=process,
            lease=lease,
            acquire=lambda playbook: take_leases(lease, cluster, playbook),
            missing=lambda _: (),
            target={"sandbox": False, "namespace": NS},
            listeners=(twin.world,),
        )

    def _play(self, state: State, twin: Any, process: Process) -> int:
        refuse_existing(state, str(disturbances.PLAYBOOK))
        self._numbers += 1
        run = f"r{self._numbers}"
        place = self._place(run, twin, process)
        place.acquire(self.loaded.playbook)
        try:
            refuse_half_way(place.cluster, self.loaded.playbook, run)
            started = first_event(self.loaded, place, str(disturbances.PLAYBOOK), None, None, {})
            journal, _ = state.create(run, started)
        except RunnerError:
            place.lease.release()
            raise
        session = Session(self.loaded.playbook, place, journal, state, past=(started,))
        return self._played(session, twin, process)

    def _resume(self, state: State, twin: Any, process: Process, *, accept: bool) -> int:
        if finished(state.read()):
            raise UsageError("the run is finished")
        reopened = self._reopened(state, twin, process)
        facts = session_facts(reopened)
        if accept:
            route = reopened.playbook.routes[0]
            found = live(reopened.place.cluster, route)
            assert found is not None
            facts["first"] = (*facts["first"], *accepted(reopened, (istio.digest(found, route),)))
        return self._played(Session(**facts), twin, process)

    def _rollback(self, state: State, twin: Any, process: Process) -> int:
        order = Order(OrderKind.ROLLBACK, "ann")
        if state.is_played():
            state.give(order)
            until = process.now() + SILENCE
            while process.now() < until:
                process.sleep_until(until)
            if isinstance(state, FileState) and state.is_played():
                record = state.read()
                return take_over(self._place(record.run, twin, process), record)
        return self._played(
            Session(**session_facts(self._reopened(state, twin, process), order)), twin, process
        )

    def _reopened(self, state: State, twin: Any, process: Process) -> Reopened:
        journal, record = state.resume()
        place = self._place(record.run, twin, process)
        return Reopened(recorded_playbook(record), place, journal, state, record)

    def _played(self, session: Session, twin: Any, process: Process) -> int:
        ears = self._ears[id(process)] = Ears(session.state)
        try:
            return played(session, (*session.place.listeners, twin.listener(process)), ears)
        finally:
            session.journal.close()


class Witness:
    """Reads a world as it is, whatever goes wrong with its API server."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def get(self, ref: ObjectRef) -> Any:
        return self._world.witness(ref)
