"""`python tests/rig up|down|status|load|run`: the rig by hand.

`up` leaves it running and prints where everything is; `run -- COMMAND` gives it to one command and takes it down after.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rig import build, control

DEFAULT_NAME = "rig"


def main() -> int:
    arguments = _parser().parse_args()
    commands = {"up": _up, "down": _down, "status": _status, "load": _load, "run": _run}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return commands[arguments.command](arguments)
    except build.RigError as error:
        print(f"rig: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/rig", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("up", "bring a rig up and leave it"),
        ("down", "take it down"),
        ("status", "say whether it lives, and where"),
        (
            "load",
            "send requests through the gateway until Ctrl-C, and count the answers by status and version",
        ),
        ("run", "run a command beside a rig of its own"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument(
            "--name",
            default=f"run-{os.getpid()}" if name == "run" else DEFAULT_NAME,
            help="which rig, when there are several",
        )
        if name in ("up", "run"):
            command.add_argument(
                "--only",
                choices=["controlplane"],
                help="API server, etcd, controllers and kubelet; no Istio, no Prometheus",
            )
        if name == "load":
            command.add_argument("--rps", default="100", help="requests a second")
        if name == "run":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _up(arguments: argparse.Namespace) -> int:
    rig, lifeline = control.up(arguments.name, build.build(mesh=arguments.only is None), _say)
    _leave(lifeline, rig)
    _print_addresses(rig)
    return 0


def _leave(lifeline: int, rig: control.Rig) -> None:
    """Hand the lifeline to the rig's own first process, so that nobody else's end is the rig's."""
    os.write(lifeline, b"s")
    os.close(lifeline)


def _down(arguments: argparse.Namespace) -> int:
    was_up = control.down(arguments.name)
    _say(f"rig {arguments.name} is down" if was_up else f"no rig named {arguments.name} was up")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    rig = control.find(arguments.name)
    if rig is None:
        _say(f"no rig named {arguments.name} is up")
        return 1
    _print_addresses(rig)
    ended = list(control.ended_parts(rig))
    for part in ended:
        _say(f"ended: {part}")
    return 1 if ended else 0


def _load(arguments: argparse.Namespace) -> int:
    rig = control.find(arguments.name)
    if rig is None or not rig.gateway:
        raise build.RigError(f"no rig named {arguments.name} with a mesh is up; `make rig` brings one up")
    url = f"{rig.gateway}/api/v1/products/0/reviews"
    return subprocess.run(
        [str(build.workloads()), "load", "-url", url, "-rps", arguments.rps], check=False
    ).returncode


def _run(arguments: argparse.Namespace) -> int:
    command = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    if not command:
        raise build.RigError("nothing to run: python tests/rig run -- COMMAND")
    rig, _lifeline = control.up(arguments.name, build.build(mesh=arguments.only is None), _say)
    try:
        return subprocess.run(command, env=os.environ | rig.environment, check=False).returncode
    finally:
        control.down(arguments.name)


def _print_addresses(rig: control.Rig) -> None:
    print(f"kubeconfig  {rig.kubeconfig}")
    if not rig.prometheus:
        return
    print(f"Prometheus  {rig.prometheus}")
    print(f"gateway     {rig.gateway}/productpage")
    print("\nTo play on it, with a second terminal for the traffic:\n")
    print(f"{rig.run}/bin/kubectl --kubeconfig {rig.kubeconfig} create namespace bookinfo")
    print(".venv/bin/python tests/rig load")
    print(
        f".venv/bin/runner play playbooks/bookinfo-canary.yaml --kubeconfig {rig.kubeconfig} --context rig"
        f" --prometheus {rig.prometheus} --var soak=20s --var every=5s --var window=15s"
    )


if __name__ == "__main__":
    sys.exit(main())
