"""A reader's folder: a clone with `make` and `runner` at hand, a fresh home, no cluster."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.docs.markdown import ROOT, Block, Command


@dataclass(frozen=True)
class Session:
    """Commands of one document run here one after the other."""

    folder: Path
    home: Path

    def run(self, command: Command, interrupt_at: str | None = None) -> tuple[int, str]:
        """Run *command* as bash would; its exit code, and stdout and stderr as they came.

        Where *interrupt_at* is given, Ctrl-C follows as soon as that has been printed.
        """
        process = subprocess.Popen(
            ["bash", "-c", _shell(command.line)],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until = "" if interrupt_at is None else _read_until(process, interrupt_at)
        try:
            printed, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, until + printed

    def write(self, name: str, block: Block) -> None:
        """Put *block* where the document says it lies."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text + "\n")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / '.venv/bin'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    """What *process* printed up to *text*; it is interrupted then."""
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if text in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    return "".join(lines)


def open_session(folder: Path) -> Session:
    """Lay out *folder* as a clone whose `make setup` has run."""
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    clone.mkdir()
    shutil.copytree(ROOT / "playbooks", clone / "playbooks")
    for name in ("schemas", "Makefile", "README.md", "docs"):
        (clone / name).symlink_to(ROOT / name)
    (clone / ".git").mkdir()  # where manifests may lie is found by it
    tools = clone / ".venv/bin"
    tools.mkdir(parents=True)
    (tools / "runner").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m runner "$@"\n')
    (tools / "runner").chmod(0o755)
    return Session(clone, home)


def _shell(line: str) -> str:
    """`make` takes .venv for ready: making it is tested elsewhere."""
    return "exec " + line if line.startswith("runner ") else re.sub(r"\bmake ", "make -o .venv/ready ", line)
