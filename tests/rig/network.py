"""The rig's closed network: a namespace for the parts, and one for each pod behind a pair of devices, as a CNI does.

Nothing leaves it. Addresses of parts and services are local to the first namespace, so any process there may bind them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rig import places


def set_up() -> None:
    """Prepare the namespace that this process is alone in.

    A default route must exist for the API server to choose an address; it leads into a pair of devices that both
    end here.
    """
    _ip(
        "link set lo up",
        "link add rig0 type veth peer name rig1",
        "link set rig0 up",
        "link set rig1 up",
        f"addr add {places.NODE}/32 dev rig0",
        f"route add local {places.PART_NETWORK} dev lo",
        f"route add local {places.SERVICE_NETWORK} dev lo",
        "route add default dev rig0",
    )
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


@dataclass(frozen=True, slots=True)
class PodNetwork:
    """A pod's own namespace, which lives as long as the process that was started to hold it."""

    address: str
    holder: int

    @classmethod
    def create(cls, address: str, number: int) -> PodNetwork:
        """Make the namespace with its address and the way between it and all others."""
        holder = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL, start_new_session=True
        ).pid
        _until_own_namespace(holder)
        device = f"pod{number}"
        _ip(
            f"link add {device} type veth peer name eth0 netns {holder}",
            f"link set {device} up",
            f"route add {address}/32 dev {device}",
        )
        _ip(
            "link set lo up",
            "link set eth0 up",
            f"addr add {address}/32 dev eth0",
            f"route add {places.NODE}/32 dev eth0",
            f"route add default via {places.NODE} dev eth0",
            prefix=("nsenter", f"--net=/proc/{holder}/ns/net"),
        )
        return cls(address, holder)

    def enter(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """The command line that runs a command inside."""
        return ("nsenter", f"--net=/proc/{self.holder}/ns/net", *command)

    def remove(self) -> None:
        """Let the namespace go; its devices go with its last process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.holder, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.holder, 0)


def _until_own_namespace(holder: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{holder}/ns/net").readlink() == ours:
        os.sched_yield()


def _ip(*lines: str, prefix: tuple[str, ...] = ()) -> None:
    subprocess.run([*prefix, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
