"""The twin of real parts: scenarios of `tests/rig/disturbances`, played by the same code in the sandbox's world.

`python -m tests.prove.twin` prints how each ends, a JSON object a line. What a fault on the wire means to the cluster's
port stands in `WIRE`; that it means the same on a real one is for the rig to show.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from runner.engine.events import Event, StageStarted
from runner.engine.observations import Interrupted
from runner.errors import UnknownOutcomeError
from runner.model.scenario import (
    ApiFault,
    ApiTrouble,
    DeleteObject,
    Edit,
    Errors,
    Given,
    Load,
    MergeObject,
    PutObjects,
    Scenario,
    SetWeights,
    When,
)
from runner.model.split import split_of
from runner.model.stages import KubeObject, Manifest
from runner.ports import ObjectRef
from runner.sandbox import open_world
from runner.sandbox.people import edit
from tests.prove.commands import NS, Commands
from tests.prove.simulation import private_folder
from tests.prove.turns import Process, Turns
from tests.rig import disturbances
from tests.rig.disturbances import Happening

START = 946_684_800.0  # 2000-01-01T00:00:00Z
SIGNALS = {"HUP": 129, "INT": 130, "TERM": 143}
REVIEWS = ObjectRef("networking.istio.io/v1", "VirtualService", NS, "reviews")

WIRE = {
    "refused": ApiTrouble.UNAVAILABLE,
    "reset before": ApiTrouble.TIMEOUT,
    "closed": ApiTrouble.TIMEOUT,
    "hangs": ApiTrouble.TIMEOUT,
    "reset after": ApiTrouble.LOST,
    "drips": ApiTrouble.LOST,
    "truncated": ApiTrouble.LOST,
    "huge": ApiTrouble.LOST,
    "garbage": ApiTrouble.LOST,
    "502": ApiTrouble.LOST,
    "500": ApiTrouble.ERROR,
    "503": ApiTrouble.ERROR,
    "429": ApiTrouble.BUSY,
    "401": ApiTrouble.UNAUTHORIZED,
    "403": ApiTrouble.FORBIDDEN,
    "redirect": ApiTrouble.FORBIDDEN,  # as final as a no, though its words are its own
    "stranger": ApiTrouble.FORBIDDEN,
    "slow": None,
}


class Wire:
    """The cluster as one process reaches it: every write is a moment at which something may happen."""

    def __init__(self, twin: "Twin", process: Process) -> None:
        self._twin, self._process, self._inner = twin, process, twin.world.cluster

    def get(self, ref: ObjectRef) -> KubeObject | None:
        self._process.alive()
        return self._inner.get(ref)

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        self._process.alive()
        return self._inner.list(api_version, kind, namespace, labels)

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        return self._write(manifest, lambda: self._inner.apply(manifest, force=force, dry_run=dry_run))

    def create(self, manifest: KubeObject) -> KubeObject:
        return self._write(manifest, lambda: self._inner.create(manifest))

    def replace(self, changed: KubeObject) -> KubeObject:
        return self._write(changed, lambda: self._inner.replace(changed))

    def _write(self, manifest: KubeObject, send: Callable[[], KubeObject]) -> KubeObject:
        self._process.alive()
        number = self._twin.counted(manifest["metadata"]["name"])
        self._twin.at_write("before", manifest, number, self._process)
        written = send()
        self._twin.at_write("after", manifest, number, self._process)
        return written


class Listener:
    """Hears one process: what is to happen in a stage happens when that stage first begins."""

    def __init__(self, twin: "Twin", process: Process) -> None:
        self._twin, self._process = twin, process

    def heard(self, event: Event, line: str) -> None:
        if isinstance(event, StageStarted):
            self._twin.at_stage(event.stage, self._process)

    def noticed(self, observation: Any) -> None:
        """Nothing happens because of what a run notices."""

    def tick(self, now: float) -> None:
        """Nothing happens because time goes on."""


class Twin:
    """One scenario in a world of its own."""

    def __init__(self, scenario: disturbances.Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.commands = Commands(scenario, folder)
        self.world = open_world(self.commands.loaded.playbook, _surroundings(scenario), seed=1, start=START)
        self.turns = Turns(self.world.clock)
        self.processes: list[Process] = []
        self._writes: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._denied: list[When] = []
        self._passing: list[When] = []
        self._happened = 0

    def play(self) -> dict[str, Any]:
        """From the first command to the last; how it ended."""
        first = self._start("play")
        self.turns.until(lambda: first.still)
        for command in self.scenario.then:
            if command in ("grant", "renew", "account"):
                self._give_back()
            elif command == "wait":
                self.turns.until(lambda: not self._passing)
            else:
                after = self._start(command)
                self.turns.until(lambda after=after: after.code is not None)
        first.wake()
        self.turns.until(lambda: all(process.code is not None for process in self.processes))
        return self._end()

    def reached_by(self, process: Process) -> Wire:
        """The cluster as *process* reaches it."""
        return Wire(self, process)

    def listener(self, process: Process) -> Listener:
        """Who hears *process*."""
        return Listener(self, process)

    def counted(self, name: str) -> int:
        """One more write of the object *name*: which one it is."""
        self._writes[name] += 1
        return self._writes[name]

    def at_write(self, moment: str, manifest: KubeObject, number: int, process: Process) -> None:
        """What is to happen at a write. UnknownOutcomeError where its answer is lost with the server."""
        name = manifest["metadata"]["name"]
        now = [one for one in self.scenario.when if one.is_write(moment, name, number)]
        for happening in now:
            self._happens(happening, process, str(manifest["kind"]))
        process.alive()
        if moment == "after" and any(one.deed in disturbances.SHARED for one in now):
            raise UnknownOutcomeError("the API server went away before it answered")

    def at_stage(self, stage: str, process: Process) -> None:
        """What is to happen in a stage, the first time that it begins."""
        if stage in self._begun:
            return
        self._begun.add(stage)
        for happening in self.scenario.when:
            if (happening.moment, happening.name) == ("stage", stage):
                at = self.turns.clock.now() + happening.delay
                self.turns.at(at, lambda it=happening: self._happens(it, process, ""))

    def _happens(self, happening: Happening, process: Process, kind: str) -> None:
        self._happened += 1
        match happening.deed:
            case "kill":
                process.kill()
            case "stop":
                process.stop()
            case "signal":
                name = happening.what
                self.commands.signal(process, Interrupted(f"SIG{name}", SIGNALS[name]))
            case "run":
                self._start(happening.what)
            case "edit":
                for change in happening.what if isinstance(happening.what, list) else [happening.what]:
                    self._edit(change)
            case "wire":
                self._wire(happening, kind)
            case "api" | "etcd":
                trouble = ApiTrouble.UNAVAILABLE if happening.deed == "api" else ApiTrouble.TIMEOUT
                self._trouble(ApiFault(trouble), happening.lasting)
            case "permissions":
                self._denied.append(self._trouble(ApiFault(ApiTrouble.FORBIDDEN), None))
            case "credentials" | "account":
                self._denied.append(self._trouble(ApiFault(ApiTrouble.UNAUTHORIZED), None))
            case _:
                raise NotImplementedError(happening.deed)

    def _wire(self, happening: Happening, kind: str) -> None:
        trouble = WIRE[happening.what]
        if trouble is None:
            return
        once = happening.lasting is None
        fault = ApiFault(trouble, call=1, kinds=(kind,)) if once else ApiFault(trouble)
        self._trouble(fault, happening.lasting)

    def _trouble(self, fault: ApiFault, lasting: float | None) -> When:
        when = When(fault)
        self.world.faults.begin(when)
        if lasting is not None:
            self._passing.append(when)
            self.turns.at(self.turns.clock.now() + lasting, lambda: self._passes(when))
        return when

    def _passes(self, when: When) -> None:
        self._passing.remove(when)
        self.world.faults.end(when)

    def _give_back(self) -> None:
        """Permissions and credentials are as they were."""
        for when in self._denied:
            self.world.faults.end(when)

    def _edit(self, said: dict[str, Any]) -> None:
        stream = self.world.setup.streams[0]
        edit(self.world.registry, self.world.present(), Edit(_change(said)), stream, NS)

    def _start(self, command: str) -> Process:
        process = Process(self.turns, lambda me: self.commands.run(command, self, me))
        self.processes.append(process)
        process.start()
        return process

    def _end(self) -> dict[str, Any]:
        found = self.world.witness(REVIEWS)
        return {
            "name": self.scenario.name,
            "codes": [process.code for process in self.processes],
            "events": self.commands.lines(self),
            "object": found,
            "happened": self._happened,
        }


def _change(said: dict[str, Any]) -> SetWeights | MergeObject | DeleteObject | PutObjects:
    match said:
        case {"weights": weights}:
            return SetWeights(tuple(weights.items()))
        case {"object": str(name), "merge": patch}:
            return MergeObject(*name.split("/"), patch)
        case {"delete": str(name)}:
            return DeleteObject(*name.split("/"))
        case {"apply": "world"}:
            return PutObjects(_world())
        case _:
            raise NotImplementedError(said)


def _world() -> tuple[Manifest, ...]:
    documents = yaml.load_all(disturbances.WORLD.read_text(), Loader=yaml.CSafeLoader)
    return tuple(Manifest("world.yaml", document) for document in documents)


def _surroundings(scenario: disturbances.Scenario) -> Scenario:
    bad = (When(Errors(1.0), subset="canary"),) if scenario.canary == "bad" else ()
    given = Given(
        files=_world(),
        manager="kubectl-client-side-apply",
        split=(("reviews", split_of({"v1": 100})),),
        traffic=(("reviews", Load(200.0)),),
        scrape=1.0,
    )
    return Scenario("disturbed", given=given, when=bad)


def main(names: list[str]) -> None:
    """Play the scenarios named, or all."""
    for scenario in disturbances.scenarios():
        if not names or scenario.name in names:
            with private_folder() as folder, redirect_stdout(sys.stderr):
                end = Twin(scenario, folder).play()
            print(json.dumps(end), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
