"""Makes what a scenario of runner's says happen on real parts: the same words, knobs and kubectl in place of a sandbox."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rig.cluster import Bookinfo
from rig.play import Play, named
from rig.traffic import Load
from rig.valve import Valve

When = dict[str, Any]
Undo = Callable[[], None]

SUBSETS = {"stable": "v1"}


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a scenario can reach."""

    bookinfo: Bookinfo
    canary: str
    load: Load
    prometheus: Valve

    def prepare(self, events: list[When]) -> None:
        """What is so from the start."""
        for event in events:
            if event["at"] == "start":
                self._begin(event)

    def follow(self, run: Play, events: list[When]) -> None:
        """Make everything else happen at its time, in threads of their own."""
        for event in events:
            if event["at"] != "start":
                threading.Thread(target=self._at, args=(run, event), daemon=True).start()

    def _at(self, run: Play, event: When) -> None:
        stage = event["at"].removeprefix("stage: ")
        try:
            run.wait_for(named("stage.started", stage=stage))
        except AssertionError:
            return  # the run never came so far
        time.sleep(seconds(event.get("after", "0s")))
        undo = self._begin(event)
        if "for" in event:
            time.sleep(seconds(event["for"]))
            undo()

    def _begin(self, event: When) -> Undo:
        version = SUBSETS.get(event.get("subset", ""), self.canary)
        match event:
            case {"errors": share}:
                return self._knob(version, "errors", str(float(share.removesuffix("%")) / 100))
            case {"latency": more}:
                return self._knob(version, "latency", str(seconds(more.removeprefix("+"))))
            case {"ready": "crash"}:
                return self._knob(version, "crash", "true")
            case {"gone": True}:
                self.bookinfo.remove(version)
            case {"traffic": "0/s"}:
                self.load.stop()
            case {"prometheus": "down"}:
                self.prometheus.shut()
            case {"edit": edit}:
                self._edit(edit)
            case _:
                raise NotImplementedError(f"no rig can do {event}")
        return lambda: None

    def _knob(self, version: str, knob: str, value: str) -> Undo:
        self.bookinfo.spoil(version, **{knob: value})
        return lambda: self.bookinfo.spoil(version, **{knob: None})

    def _edit(self, edit: dict[str, Any]) -> None:
        match edit:
            case {"weights": weights}:
                self.bookinfo.shift(**weights)
            case {"object": name, "merge": patch}:
                self.bookinfo.kubectl("patch", name, "--type=merge", "-p", json.dumps(patch))
            case {"delete": name}:
                self.bookinfo.kubectl("delete", name)
            case _:
                raise NotImplementedError(f"no rig can do {edit}")


def seconds(duration: str) -> float:
    """A duration of one unit: "4s", "2000ms"."""
    if duration.endswith("ms"):
        return float(duration.removesuffix("ms")) / 1000
    return float(duration.removesuffix("s"))
