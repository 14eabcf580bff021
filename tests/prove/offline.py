"""What the operating system sees of commands that are offline: no connection, no program, nothing opened elsewhere.

Each is called on a hostile repository, under strace and in a network of its own, where nothing could answer. Python's
own audit events (`tests/security`) see what Python is asked for; this sees what libraries written in C do as well.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.prove.oracle import Violation
from tests.security import hostile

RUNNER = Path(sys.executable).with_name("runner")
TRACED = "trace=%network,%process,open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2"
CALL = re.compile(r"^(?:\[pid +)?(?:\d+\]? +)?(?P<name>[a-z_0-9]+)\((?P<arguments>.*)$")
PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
ITSELF = {
    "exit_group",
    "exit",
    "wait4",
    "waitid",
    "arch_prctl",
    "execve",
    "kill",
    "tgkill",
    "rt_sigqueueinfo",
}
FORKS = {"fork", "vfork", "clone", "clone3"}
OPENS = {"open", "openat", "openat2", "creat"}
CHANGES = {"mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2"}
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
OUTPUT = ("/dev/null", "/dev/tty")


def missing() -> str:
    """Why this cannot be played here; empty where it can."""
    if absent := [name for name in ("strace", "unshare") if shutil.which(name) is None]:
        return f"{' and '.join(absent)} not installed"
    allowed = subprocess.run(
        ["unshare", "-n", "strace", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return "" if allowed.returncode == 0 else f"not allowed here: {allowed.stderr.decode().strip()[:100]}"


def commands() -> list[tuple[int]]:
    """Every command of the hostile corpus, by number."""
    return [(number,) for number in range(len(hostile.OFFLINE) + len(hostile.IN_THE_SANDBOX))]


def observed(number: int) -> dict[str, float]:
    """Violation where command *number* does more than it may; how much of it was looked at."""
    command = (*hostile.OFFLINE, *hostile.IN_THE_SANDBOX)[number]
    with tempfile.TemporaryDirectory(prefix="offline-") as folder:
        tree = hostile.repository(Path(folder))
        if "../state/r1.jsonl" in command and command[0] != "play":
            _call([str(RUNNER), *hostile.IN_THE_SANDBOX[3]], tree)
        calls, told = traced([str(RUNNER), *command], tree)
        free = Path(folder) if list(command) in list(hostile.IN_THE_SANDBOX) else None
        if wrong := list(violations(calls, tree, free)):
            raise Violation(f"runner {' '.join(command)}: {'; '.join(wrong[:5])}")
        if hostile.SECRET in told or "PWNED" in told:
            raise Violation(f"runner {' '.join(command)} told what it must not: {told[:300]}")
    return {"system calls": len(calls)}


def traced(command: Sequence[str], tree: Path) -> tuple[list[str], str]:
    """The system calls of *command* in *tree*, in a network of its own, and all that it printed."""
    log = tree.parent / "trace"
    tracer = [
        "unshare",
        "-n",
        "strace",
        "-f",
        "-qq",
        "-y",
        "-s",
        "4096",
        "-e",
        "signal=none",
        "-e",
        TRACED,
        "-o",
        log,
    ]
    done = _call([*map(str, tracer), *command], tree)
    if not log.exists() or not log.stat().st_size:
        raise Violation(f"nothing was traced: {done.stderr[:300]}")
    return log.read_text(encoding="utf-8", errors="replace").splitlines(), done.stdout + done.stderr


def violations(lines: Iterable[str], tree: Path, free: Path | None) -> Iterator[str]:
    """What in *lines* an offline command may not do; below *free* it may write, apart from the home folder."""
    begun = False
    for line in lines:
        found = CALL.match(line)
        if found is None:
            continue  # the second half of a call that was interrupted, or how a process ended
        name, arguments = found["name"], found["arguments"]
        if name == "execve" and not begun:
            begun = True
        elif name == "execve" or (name in FORKS and "CLONE_THREAD" not in arguments):
            yield f"started a process: {line[:200]}"
        elif name in OPENS | CHANGES:
            yield from _touched(name, arguments, tree, free)
        elif name not in ITSELF | FORKS:
            yield f"reached out: {line[:200]}"


def _touched(name: str, arguments: str, tree: Path, free: Path | None) -> Iterator[str]:
    path = _path(arguments, tree)
    if path.is_relative_to(tree.parent / "home"):
        yield f"looked into the home folder: {path}"
    writes = name in CHANGES or name == "creat" or WRITING.search(arguments)
    allowed = str(path) in OUTPUT or (free is not None and path.is_relative_to(free) and path != tree)
    if writes and not allowed:
        yield f"wrote {path}"


def _path(arguments: str, tree: Path) -> Path:
    """The path of a call; strace writes behind a descriptor which folder it is: `3</tmp/x>`."""
    named = PATH.search(arguments)
    folder = re.match(r"(?:AT_FDCWD|\d+)<([^>]*)>", arguments)
    base = folder[1] if folder else str(tree)
    return Path(os.path.normpath(Path(base) / (named[1] if named else "")))


def _call(command: Sequence[str], tree: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, check=False, cwd=tree, env=_environment(tree), capture_output=True, text=True
    )


def _environment(tree: Path) -> Mapping[str, str]:
    home = tree.parent / "home"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LOGNAME": "ann",
        "KUBECONFIG": str(home / ".kube" / "config"),
        "DEPLOY_TOKEN": hostile.SECRET,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
