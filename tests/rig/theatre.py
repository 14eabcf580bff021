"""Stages a scenario of disturbance with real parts: real `runner` processes, a real API server, real trouble."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig import accounts, control, play
from rig.cluster import Cluster, KubectlError, until
from rig.disturbances import PLAYBOOK, WORLD, Happening, Scenario
from rig.play import Play, named
from rig.prometheus_stub import Stub
from rig.wire import FORWARDED, Entrance, Wire

SHORT_LIFE = 30.0  # seconds that a token is good for, by its own word
LONG_LIFE = 3600.0
READY = 60.0  # seconds for the API server to come back
GRACE = 2.0  # seconds in which an API server that was asked to end may do so


@dataclass(frozen=True, slots=True)
class Hall:
    """A control plane, and a folder with the certificate of somebody whom nobody trusts."""

    rig: control.Rig
    stranger: Path

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.rig.kubeconfig, "", "", self.rig.name)

    @property
    def pki(self) -> Path:
        return self.rig.run / "pki"

    def is_ready(self) -> bool:
        with contextlib.suppress(KubectlError, subprocess.TimeoutExpired):
            return self.cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=2s") == "ok"
        return False

    def signal(self, part: str, how: signal.Signals) -> None:
        os.kill(control.part(self.rig, part), how)

    def end_api_server(self, how: str) -> None:
        """By SIGTERM, which it may take its time over, or by SIGKILL."""
        self.signal("kube-apiserver", signal.Signals[f"SIG{how}"])
        deadline = time.monotonic() + GRACE
        with contextlib.suppress(control.RigError):
            while True:
                late = time.monotonic() > deadline
                os.kill(control.part(self.rig, "kube-apiserver"), signal.SIGKILL if late else 0)
                time.sleep(0.02)


class Theatre:
    """One scenario in a namespace of its own."""

    def __init__(self, hall: Hall, scenario: Scenario, folder: Path, namespace: str) -> None:
        self.hall, self.scenario, self.folder, self.namespace = hall, scenario, folder, namespace
        self.processes: list[Play] = []
        self.happened: list[Happening] = []
        self.wire = Wire(hall.rig.api.removeprefix("https://"), hall.pki, self._told, hall.stranger)
        self._prometheus = Stub(bad=scenario.canary == "bad")
        self._stopped, self._woken = threading.Event(), threading.Event()
        self._duties: list[threading.Thread] = []

    def play(self) -> dict[str, Any]:
        """From the first command to the last; how it ended, told as the twin tells it. It is furnished before."""
        try:
            with self._prometheus:
                return self._play()
        finally:
            self._woken.set()
            for one in self.processes:
                one.process.kill()
            self._wait_for_duties()
            self.wire.close()
            self.hall.cluster.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def _play(self) -> dict[str, Any]:
        first = self._start("play")
        for happening in self.scenario.when:
            if happening.moment == "stage":
                self._later(self._follow, first, happening)
        while first.process.poll() is None and not self._stopped.is_set():
            time.sleep(0.05)
        for command in self.scenario.then:
            self._command(command)
        self._woken.set()
        first.send(signal.SIGCONT)
        codes = [one.finish() for one in self.processes]
        self._wait_for_duties()
        assert not self.wire.mistakes, self.wire.mistakes
        return {
            "name": self.scenario.name,
            "codes": codes,
            "events": self._journal(),
            "object": self._object(),
            "happened": len(self.happened),
        }

    def said(self) -> str:
        """What every process wrote on stderr."""
        return "\n---\n".join(one.said() for one in self.processes)

    def _command(self, command: str) -> None:
        match command:
            case "grant":
                accounts.grant(self.hall.cluster, self.namespace)
            case "account":
                accounts.create(self.hall.cluster, self.namespace)
            case "renew":
                self._write_token(LONG_LIFE)
            case "wait":
                self._wait_for_duties()
            case _:
                self._start(command).finish()

    def furnish(self) -> None:
        """What is there before the run, in a namespace of its own."""
        kubectl = self.hall.cluster.kubectl
        kubectl("create", "namespace", self.namespace)
        kubectl("-n", self.namespace, "apply", "-f", str(WORLD))
        if self.scenario.user != "admin":
            accounts.create(self.hall.cluster, self.namespace)
            accounts.grant(self.hall.cluster, self.namespace)
            self._write_token(SHORT_LIFE if self.scenario.user == "expiring" else LONG_LIFE)
        words = ("--for=condition=Available", "deployment", "--all", "--timeout=120s")
        kubectl("-n", self.namespace, "wait", *words)

    def _start(self, command: str) -> Play:
        entrance = self.wire.entrance()
        reach = ("--yes", "--kubeconfig", self._kubeconfig(entrance), "--prometheus", self._prometheus.url)
        verb, words = self._words(command)
        variables = {"XDG_CONFIG_HOME": str(self.folder)}
        process = play.launch(self.folder, verb, *words, *reach, variables=variables)
        self.processes.append(process)
        return process

    def _words(self, command: str) -> tuple[str, tuple[str, ...]]:
        match command:
            case "play" | "play again" | "play other":
                given = [f"--var={name}={value}" for name, value in self.scenario.variables.items()]
                state = self._state("other" if command == "play other" else "run")
                return "play", (
                    str(PLAYBOOK),
                    "--context=rig",
                    "-n",
                    self.namespace,
                    "--state",
                    state,
                    *given,
                )
            case "resume" | "rollback":
                return command, (self._state("run"),)
            case "accept":
                digest = self.processes[-1].said().split("--accept-drift ")[1].split()[0]
                return "resume", (self._state("run"), "--accept-drift", digest)
        raise NotImplementedError(command)

    def _state(self, name: str) -> str:
        if self.scenario.state == "configmap":
            return f"configmap:{self.namespace}/{name}"
        return str(self.folder / f"{name}.jsonl")

    def _kubeconfig(self, entrance: Entrance) -> str:
        document = json.loads(Path(self.hall.rig.kubeconfig).read_text())
        document["clusters"][0]["cluster"]["server"] = entrance.url
        if self.scenario.user != "admin":
            document["users"] = [{"name": "admin", "user": self._login()}]
        path = self.folder / f"kubeconfig-{entrance.process}"
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return str(path)

    def _login(self) -> dict[str, Any]:
        if self.scenario.user != "plugin":
            return {"tokenFile": str(self.folder / "token")}
        account = self.hall.cluster.read("-n", self.namespace, "serviceaccount", accounts.ACCOUNT)
        uid = account["metadata"]["uid"]
        program = accounts.write_plugin(self.folder, self.namespace, uid, self.hall.pki, SHORT_LIFE)
        (self.folder / "runner").mkdir(exist_ok=True)
        config = {"apiVersion": "runner/v1", "kind": "Config", "execPlugins": [str(program)]}
        (self.folder / "runner" / "config.yaml").write_text(json.dumps(config))
        version = "client.authentication.k8s.io/v1"
        return {"exec": {"apiVersion": version, "command": str(program), "interactiveMode": "Never"}}

    def _write_token(self, seconds: float) -> None:
        token = accounts.token(self.hall.cluster, self.namespace, self.hall.pki, seconds)
        (self.folder / "token").write_text(token)

    def _journal(self) -> list[dict[str, Any]]:
        """Every event of the first run, from wherever its state is."""
        if self.scenario.state == "file":
            path = self.folder / "run.jsonl"
            assert path.exists(), self.said()
            text = path.read_text()
        else:
            text = self.hall.cluster.read("-n", self.namespace, "configmap", "run-0000")["data"][
                "journal.jsonl"
            ]
        return [json.loads(line) for line in text.splitlines()]

    def _object(self) -> dict[str, Any] | None:
        try:
            return self.hall.cluster.read("-n", self.namespace, "virtualservice", "reviews")
        except KubectlError as error:
            if "NotFound" in str(error):
                return None
            raise

    def _follow(self, first: Play, happening: Happening) -> None:
        try:
            first.wait_for(named("stage.started", stage=happening.name))
        except AssertionError:
            return  # it never came so far; that nothing happened is seen in the end
        time.sleep(happening.delay)
        self._happens(happening, 0)

    def _told(self, process: int, moment: str, name: str, number: int) -> str | None:
        fault = None
        for happening in self.scenario.when:
            if happening.is_write(moment, name, number):
                fault = self._happens(happening, process) or fault
        return fault

    def _happens(self, happening: Happening, process: int) -> str | None:
        """Make it happen; the fault that it is for the request in hand, if there is one."""
        self.happened.append(happening)
        lost = f"reset {happening.moment}"
        match happening.deed:
            case "kill":
                self.processes[process].send(signal.SIGKILL)
                return lost
            case "stop":
                self._stop(process)
            case "signal":
                self.processes[process].send(signal.Signals[f"SIG{happening.what}"])
            case "run":
                self._start(happening.what)
            case "edit":
                with self.wire.held():
                    for change in happening.what if isinstance(happening.what, list) else [happening.what]:
                        self._edit(change)
            case "wire":
                return self._trouble(happening)
            case "permissions":
                with self.wire.held():
                    accounts.revoke(self.hall.cluster, self.namespace)
            case "account":
                accounts.delete(self.hall.cluster, self.namespace)
            case "credentials":
                """A token ends by itself."""
            case "api":
                self.hall.end_api_server(happening.what)
                self._after(happening, self._bring_back)
                return lost
            case "etcd":
                self.hall.signal("etcd", signal.SIGSTOP)
                self._after(happening, lambda: self.hall.signal("etcd", signal.SIGCONT))
                return lost if happening.moment == "after" else None
            case _:
                raise NotImplementedError(happening.deed)
        return None

    def _stop(self, process: int) -> None:
        """Stand still until everything else is over; a request in hand goes on its way only then."""
        self.processes[process].send(signal.SIGSTOP)
        self._stopped.set()
        self._woken.wait()

    def _trouble(self, happening: Happening) -> str:
        if happening.lasting is not None:
            self.wire.begin(happening.what)
            self._after(happening, self.wire.end)
        known = (*FORWARDED, "closed", "hangs", "slow", "redirect")
        return happening.what if happening.what in known or happening.what.isdecimal() else "reset before"

    def _bring_back(self) -> None:
        control.start_again(self.hall.rig, "kube-apiserver")
        until(self.hall.is_ready, READY, "the API server is back")

    def _edit(self, change: dict[str, Any]) -> None:
        """As a person with kubectl."""
        kubectl = lambda *words: self.hall.cluster.kubectl("-n", self.namespace, *words)  # noqa: E731 - a shorter name
        match change:
            case {"weights": weights}:
                route = [
                    {"destination": {"host": "reviews", "subset": it}, "weight": n}
                    for it, n in weights.items()
                ]
                patch = json.dumps([{"op": "replace", "path": "/spec/http/0/route", "value": route}])
                kubectl("patch", "virtualservice", "reviews", "--type=json", "-p", patch)
            case {"object": name, "merge": patch}:
                kubectl("patch", name, "--type=merge", "-p", json.dumps(patch))
            case {"delete": name}:
                kubectl("delete", name)
            case {"apply": "world"}:
                kubectl("apply", "-f", str(WORLD))
            case _:
                raise NotImplementedError(change)

    def _after(self, happening: Happening, act: Callable[[], None]) -> None:
        def wait() -> None:
            time.sleep(happening.lasting or 0.0)
            act()

        self._later(wait)

    def _later(self, act: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=act, args=given, daemon=True)
        self._duties.append(thread)
        thread.start()

    def _wait_for_duties(self) -> None:
        for one in list(self._duties):
            one.join(READY)
