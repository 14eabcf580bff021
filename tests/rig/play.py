"""`runner` as a person starts it: a process, its exit code, and the events that it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import places
from rig.cluster import REPOSITORY, Bookinfo

Event = dict[str, Any]
Wanted = Callable[[Event], bool]

OWN = places.SOURCES / "playbooks"
CANARY = REPOSITORY / "playbooks" / "bookinfo-canary.yaml"


def named(event: str, **fields: Any) -> Wanted:
    """A condition on events: this name and these fields."""
    return lambda it: it["event"] == event and all(it.get(name) == value for name, value in fields.items())


def split(wanted: dict[str, int]) -> Wanted:
    """A condition on events: reviews has just come to this split; weight 0 is as good as none."""
    return lambda it: it["event"] == "split.changed" and without_zeros(it["to"]) == without_zeros(wanted)


def without_zeros(found: dict[str, int]) -> dict[str, int]:
    return {subset: weight for subset, weight in found.items() if weight}


@dataclass(slots=True)
class Play:
    """One process of `runner`; events are there as soon as it has printed them."""

    process: subprocess.Popen[str]
    complaints: Path
    events: list[Event] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False

    def wait_for(self, wanted: Wanted, seconds: float = 120) -> Event:
        """Return the first event that matches, now or later. Raises AssertionError when none comes."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not (found := self.all(wanted)):
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"that event did not come; stderr:\n{self.complaints.read_text()}")
                self._news.wait(min(left, 1))
            return found[0]

    def finish(self, seconds: float = 300) -> int:
        """Wait for the process and return its exit code."""
        code = self.process.wait(seconds)
        with self._news:
            self._news.wait_for(lambda: self._ended, 5)
        return code

    def all(self, wanted: Wanted) -> list[Event]:
        return [event for event in self.events if wanted(event)]

    def send(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def said(self) -> str:
        """What it wrote on stderr."""
        return self.complaints.read_text()

    def follow(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._news:
                    self.events.append(json.loads(line))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def launch(folder: Path, command: str, *words: str, variables: Mapping[str, str] | None = None) -> Play:
    """Start a command of `runner`, printing events; *variables* are added to its environment."""
    complaints = folder / f"stderr-{command}-{time.monotonic_ns()}"
    with complaints.open("w") as heard:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", command, *words, "-o", "jsonl"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=heard,
            text=True,
        )
    started = Play(process, complaints)
    threading.Thread(target=started.follow, daemon=True).start()
    return started


def start(bookinfo: Bookinfo, folder: Path, command: str, *words: str, prometheus: str = "") -> Play:
    """Start a command of `runner` on the cluster of the test, answering yes to its question."""
    cluster = bookinfo.cluster
    where = ("--yes", "--kubeconfig", cluster.kubeconfig, "--prometheus", prometheus or cluster.prometheus)
    run = launch(folder, command, *words, *where)
    bookinfo.processes.append(run.process)
    return run


def of(bookinfo: Bookinfo, folder: Path, playbook: str | Path, *words: str, prometheus: str = "") -> Play:
    """Play a playbook of this suite, or any other by its path; the state file is `run.jsonl` in the folder."""
    path = OWN / playbook if isinstance(playbook, str) else playbook
    context = bookinfo.cluster.kubectl("config", "current-context").strip()
    where = ("--context", context, "-n", bookinfo.namespace, "--state", str(folder / "run.jsonl"))
    return start(bookinfo, folder, "play", str(path), *where, *words, prometheus=prometheus)


def canary(bookinfo: Bookinfo, folder: Path, *words: str, **variables: str) -> Play:
    """Play the project's own canary, its waits and windows shortened by `--var` alone."""
    short = {"soak": "16s", "every": "3s", "window": "12s"} | variables
    return of(bookinfo, folder, CANARY, *(f"--var={name}={value}" for name, value in short.items()), *words)
