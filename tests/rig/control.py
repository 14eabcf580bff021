"""The rig seen from outside: bring it up, ask after it, take it down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig import certificates, places
from rig.build import Binaries, RigError

# Ports on this machine's loopback, taken when free so that a copied line works again tomorrow.
PREFERRED_PORTS = {"api": 16443, "prometheus": 19090, "gateway": 18080}
INSIDE = {
    "api": f"127.0.0.1:{places.API_PORT}",
    "prometheus": f"{places.PROMETHEUS}:{places.PROMETHEUS_PORT}",
    "gateway": f"{places.GATEWAY}:{places.GATEWAY_PORT}",
}

_OURS: dict[str, subprocess.Popen[bytes]] = {}  # rigs that this process began, until it takes them down


@dataclass(frozen=True, slots=True)
class Rig:
    """A living rig: whom to signal, and the addresses that anybody on this machine may use."""

    name: str
    pid: int  # the first process inside; with its end, all others have ended
    born: int  # that process' start in clock ticks, so that a reused pid is never taken for it
    kubeconfig: str
    api: str
    prometheus: str  # empty when only the control plane is up, as is the gateway
    gateway: str

    @property
    def run(self) -> Path:
        return places.run_folder(self.name)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which tests find a cluster, and its kubectl."""
        mesh = {"RUNNER_TEST_PROMETHEUS": self.prometheus, "RUNNER_TEST_GATEWAY": self.gateway}
        return {
            "PATH": f"{self.run / 'bin'}:{os.environ.get('PATH', '')}",
            "RUNNER_TEST_KUBECONFIG": self.kubeconfig,
            "RUNNER_TEST_RIG": self.name,
            **(mesh if self.prometheus else {}),
        }


def up(name: str, binaries: Binaries, tell: Callable[[str], None]) -> tuple[Rig, int]:
    """Start a rig and return it with its lifeline: the rig ends when the last copy of that descriptor is closed.

    Raises RigError when a part does not come up or a rig of this name already lives.
    """
    if find(name) is not None:
        raise RigError(f"a rig named {name} is already up; `make rig-down` ends it")
    run = places.run_folder(name)
    shutil.rmtree(run, ignore_errors=True)
    (run / "log").mkdir(parents=True)
    run.chmod(0o700)
    sockets = {purpose: _listen(port) for purpose, port in PREFERRED_PORTS.items()}
    report, said = os.pipe()
    lifeline, held = os.pipe()
    process = _unshare(run, binaries, sockets, said, lifeline)
    os.close(said)
    os.close(lifeline)
    try:
        _follow(report, tell)
    except RigError as error:
        process.kill()
        process.wait()
        raise RigError(f"{error}\n{(run / 'log' / 'supervisor.log').read_text()}".rstrip()) from None
    except BaseException:
        process.kill()
        process.wait()
        raise
    _give_kubectl(run, binaries)
    rig = _describe(name, _first_inside(process.pid), sockets, mesh=binaries.istiod is not None)
    _OURS[name] = process
    for one in sockets.values():
        one.close()
    return rig, held


def find(name: str) -> Rig | None:
    """The living rig of this name, if there is one."""
    try:
        document = json.loads((places.run_folder(name) / "rig.json").read_text())
    except (OSError, ValueError):
        return None
    rig = Rig(**document)
    return rig if _birth(rig.pid) == rig.born else None


def down(name: str) -> bool:
    """End a rig and remove its folder; False when none was up."""
    rig = find(name)
    if rig is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rig.pid, signal.SIGKILL)
        while _birth(rig.pid) == rig.born:
            time.sleep(0.02)
    if name in _OURS:
        _OURS.pop(name).wait()
    shutil.rmtree(places.run_folder(name), ignore_errors=True)
    return rig is not None


def ended_parts(rig: Rig) -> Iterator[str]:
    """Names of the parts that have ended since the rig came up."""
    for mark in sorted((rig.run / "log").glob("*.ended")):
        yield f"{mark.stem} (exit {mark.read_text()}, {mark.with_suffix('.log')})"


def part(rig: Rig, name: str) -> int:
    """The process of a part, as this machine numbers it. RigError when it does not live."""
    children = Path(f"/proc/{rig.pid}/task/{rig.pid}/children").read_text().split()
    for pid in children:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[1:2] == [name]:
                return int(pid)
    raise RigError(f"{name} of rig {rig.name} does not live")


def start_again(rig: Rig, name: str) -> None:
    """Ask the rig's first process to start a part that has ended."""
    folder = rig.run / places.AGAIN
    folder.mkdir(exist_ok=True)
    (folder / name).touch()


def _listen(port: int) -> socket.socket:
    for candidate in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(128)
        return listener
    raise RigError("no free port on the loopback device")


def _unshare(
    run: Path, binaries: Binaries, sockets: dict[str, socket.socket], said: int, lifeline: int
) -> subprocess.Popen[bytes]:
    settings = {
        "run": str(run),
        "binaries": {name: str(path) if path else "" for name, path in asdict(binaries).items()},
        "report": said,
        "lifeline": lifeline,
        "sockets": {one.fileno(): INSIDE[purpose] for purpose, one in sockets.items()},
    }
    namespaces = ("unshare", "--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child")
    with (run / "log" / "supervisor.log").open("wb") as complaints:
        return subprocess.Popen(
            [*namespaces, sys.executable, "-m", "rig.supervisor", json.dumps(settings)],
            env=os.environ | {"PYTHONPATH": str(places.SOURCES.parent)},
            pass_fds=(said, lifeline, *(one.fileno() for one in sockets.values())),
            stdin=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        )


def _follow(report: int, tell: Callable[[str], None]) -> None:
    """Pass on the supervisor's words until it is ready. Raises RigError when it fails or falls silent."""
    with os.fdopen(report) as lines:
        for line in lines:
            words: dict[str, Any] = json.loads(line)
            if "failed" in words:
                raise RigError(f"the rig did not come up: {words['failed']}")
            if "ready" in words:
                tell(f"all up after {words['ready']} s")
                return
            tell(f"{words['step']} after {words['after']} s")
    raise RigError(
        "the rig did not come up: its first process ended (is `unshare --net --pid` allowed here?)"
    )


def _give_kubectl(run: Path, binaries: Binaries) -> None:
    """A kubectl of the API server's own version, for whoever puts the rig's `bin` on their PATH."""
    kubectl = run / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(f'#!/bin/sh\nexec {binaries.controlplane} kubectl "$@"\n')
    kubectl.chmod(0o755)


def _first_inside(unshare: int) -> int:
    """The one child of `unshare --fork`."""
    return int(Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()[0])


def _describe(name: str, pid: int, sockets: dict[str, socket.socket], *, mesh: bool) -> Rig:
    address = {purpose: f"127.0.0.1:{one.getsockname()[1]}" for purpose, one in sockets.items()}
    run = places.run_folder(name)
    kubeconfig = run / "kubeconfig"
    certificates.write_kubeconfig(kubeconfig, run, f"https://{address['api']}")
    rig = Rig(
        name=name,
        pid=pid,
        born=_birth(pid) or 0,
        kubeconfig=str(kubeconfig),
        api=f"https://{address['api']}",
        prometheus=f"http://{address['prometheus']}" if mesh else "",
        gateway=f"http://{address['gateway']}" if mesh else "",
    )
    (run / "rig.json").write_text(json.dumps(asdict(rig)))
    return rig


def _birth(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return None
