"""The first process inside the rig's namespaces: starts the parts in order, then keeps them company.

It speaks JSON lines to whoever started it: `{"step": ...}` while it works, then `{"ready": ...}` or `{"failed": ...}`.
When it ends, for whatever reason, the kernel ends everything else in its process namespace.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rig import certificates, mesh, network, parts, places, telemetry
from rig.api import Api, ApiError
from rig.build import Binaries

PATIENCE = 90.0


class BringUpError(Exception):
    """A part did not come up."""


class AbandonedError(Exception):
    """Whoever wanted the rig is gone before it was up."""


@dataclass(slots=True)
class Supervisor:
    """Owns the processes of one rig."""

    run: Path
    binaries: Binaries
    report: int  # descriptor that takes the JSON lines
    lifeline: int  # descriptor whose end of file means that the owner is gone
    sockets: dict[int, str]
    begun: float = field(default_factory=time.monotonic)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    parts: dict[str, parts.Part] = field(default_factory=dict)
    staying: bool = False

    @property
    def data(self) -> Path:
        return self.run / "data"

    @property
    def api(self) -> Api:
        return Api(f"https://127.0.0.1:{places.API_PORT}", places.ADMIN_TOKEN, self.run / "pki" / "ca.crt")

    def bring_up(self) -> None:
        """Start everything and report `ready`. Raises BringUpError."""
        network.set_up()
        mount_memory(self.data)
        self.start(parts.forwards(self.binaries, self.sockets))
        self.start_control_plane()
        if self.binaries.istiod is not None:
            self.start_mesh()
        self.say(ready=round(time.monotonic() - self.begun, 1))

    def start_control_plane(self) -> None:
        self.start(parts.etcd(self.binaries, self.data))
        if self.binaries.prometheus is not None:
            telemetry.write_configuration(self.run)
            self.start(parts.prometheus(self.binaries, self.run, self.data))
        self.start(parts.api_server(self.binaries, self.run))
        self.until("kube-apiserver", self._api_is_ready)
        self.start(parts.controller_manager(self.binaries, self.run))
        self.start(parts.kubelet(self.binaries, self.run))
        self._install_crds()
        self.until(
            "default ServiceAccount",
            lambda: self._finds("/api/v1/namespaces/default/serviceaccounts/default"),
        )

    def start_mesh(self) -> None:
        mesh.write_settings(self.run)
        self.start(parts.istiod(self.binaries, self.run))
        self.wait_for(parts.istiod(self.binaries, self.run))
        gateway = parts.gateway(self.binaries, self.run)
        self.start(gateway)
        self.api.apply(mesh.webhook(self.run))
        for document in telemetry.prometheus_service():
            self.api.apply(document)
        self.wait_for(gateway)
        self.wait_for(parts.prometheus(self.binaries, self.run, self.data))

    def start(self, part: parts.Part) -> None:
        self.parts[part.name] = part
        log = (self.run / "log" / f"{part.name}.log").open("ab")
        self.children[part.name] = subprocess.Popen(
            part.command,
            env=parts.environment_of(part),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.run,
            pass_fds=tuple(self.sockets) if part.name == "forwards" else (),
        )

    def wait_for(self, part: parts.Part) -> None:
        self.until(part.name, lambda: parts.answers(part.ready))

    def until(self, name: str, holds: Callable[[], bool]) -> None:
        """Wait until a condition holds; a dead part or a gone owner ends the wait."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.check_parts()
            if time.monotonic() > deadline:
                raise BringUpError(
                    f"{name} is not ready after {PATIENCE:.0f} s; logs are in {self.run / 'log'}"
                )
            if self.owner_is_gone():
                raise AbandonedError
            time.sleep(0.05)
        self.say(step=name, after=round(time.monotonic() - self.begun, 1))

    def check_parts(self) -> None:
        """Raise BringUpError when a part has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise BringUpError(
                    f"{name} ended with {child.returncode}:\n{_tail(self.run / 'log' / f'{name}.log')}"
                )

    def owner_is_gone(self) -> bool:
        """Whether the lifeline was let go; a byte on it releases the rig from its owner for good."""
        if not self.staying and select.select([self.lifeline], [], [], 0)[0]:
            self.staying = os.read(self.lifeline, 1) != b""
            return not self.staying
        return False

    def keep_company(self) -> None:
        """Reap what is orphaned here, start again what is asked for, and return when the owner is gone."""
        while not self.owner_is_gone():
            time.sleep(0.25)
            self._reap()
            self._start_again()

    def leave_nothing(self) -> None:
        """End every process here, then remove the folder that nobody is left to remove."""
        os.kill(-1, signal.SIGKILL)
        subprocess.run(["umount", "--lazy", str(self.data)], check=False)
        shutil.rmtree(self.run, ignore_errors=True)

    def say(self, **words: Any) -> None:
        try:
            os.write(self.report, json.dumps(words).encode() + b"\n")
        except BrokenPipeError:
            raise AbandonedError from None

    def _reap(self) -> None:
        known = {child.pid: name for name, child in self.children.items()}
        for name, child in self.children.items():
            if child.poll() is not None and child.returncode is not None:
                (self.run / "log" / f"{name}.ended").write_text(str(child.returncode))
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None or found.si_pid in known:
                return
            os.waitpid(found.si_pid, 0)

    def _start_again(self) -> None:
        """A file named like a part that has ended asks for it."""
        for mark in (self.run / places.AGAIN).glob("*"):
            child = self.children.get(mark.name)
            if child is not None and child.poll() is not None:
                mark.unlink()
                (self.run / "log" / f"{mark.name}.ended").unlink(missing_ok=True)
                self.start(self.parts[mark.name])

    def _api_is_ready(self) -> bool:
        try:
            return self.api.text("/readyz") == "ok"
        except OSError:
            return False

    def _install_crds(self) -> None:
        names = []
        for document in yaml.load_all(self.binaries.crds.read_text(), Loader=yaml.CSafeLoader):
            self.api.apply(document)
            names.append(document["metadata"]["name"])
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": mesh.SYSTEM_NAMESPACE}})
        self.until("Istio's resource definitions", lambda: all(self._established(name) for name in names))

    def _established(self, name: str) -> bool:
        found = self.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
        return any(
            c["type"] == "Established" and c["status"] == "True"
            for c in found.get("status", {}).get("conditions", [])
        )

    def _finds(self, path: str) -> bool:
        try:
            self.api.get(path)
        except ApiError:
            return False
        return True


def mount_memory(folder: Path) -> None:
    """Keep the rig's data in memory; it goes with the mount namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "rig-data", str(folder)], check=True)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])


def main(arguments: list[str]) -> int:
    settings = json.loads(arguments[0])
    binaries = Binaries(**{name: Path(path) if path else None for name, path in settings["binaries"].items()})  # type: ignore[arg-type]  # JSON
    sockets = {int(descriptor): address for descriptor, address in settings["sockets"].items()}
    supervisor = Supervisor(
        Path(settings["run"]), binaries, settings["report"], settings["lifeline"], sockets
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        certificates.write(supervisor.run, binaries.workloads)
        supervisor.bring_up()
        supervisor.keep_company()
    except AbandonedError:
        supervisor.leave_nothing()
        return 1
    except (BringUpError, ApiError, OSError, subprocess.CalledProcessError) as error:
        supervisor.say(failed=str(error))
        return 1
    supervisor.leave_nothing()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
