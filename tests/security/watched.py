"""Calls `runner` several times in one process, and writes down everything that Python was asked to do meanwhile.

    python watched.py REPORT < COMMANDS

COMMANDS are JSON lists of arguments, one a line; REPORT gets one JSON object a line, a `Watched`. A program of
its own, since an audit hook stays for as long as its process lives.
"""

import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

OUTWARD = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.",
    "ctypes.",
)
CHANGES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
LIBRARIES = tuple(f"{path}/" for path in {sys.prefix, sys.base_prefix, *filter(os.path.isdir, sys.path[1:])})


class Watch:
    """The hook, and what it saw since it was last asked."""

    def __init__(self) -> None:
        self.on = False
        self.seen: dict[str, list[str]] = {}

    def note(self, what: str, detail: Any) -> None:
        if self.on:
            self.seen.setdefault(what, []).append(str(detail))

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event.startswith(OUTWARD):
            self.note("reached", f"{event}{arguments}")
        elif event.startswith(CHANGES):
            self.note("written", arguments[0])
        elif event == "os.chmod" and os.stat(arguments[0]).st_mode & 0o077:  # noqa: PTH116 - often a descriptor
            self.note("loose", arguments[0])
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            self._opened(os.fspath(arguments[0]), arguments[2])

    def _opened(self, path: str | bytes, flags: int) -> None:
        path = str(Path.cwd() / os.fsdecode(path))
        if flags & WRITING:
            self.note("written", path)
        elif not path.startswith(LIBRARIES):
            self.note("read", path)


def listen_to_the_environment(watch: Watch) -> None:
    """The names that are looked up, one by one; `os.environ` is asked by this class alone."""
    kind = type(os.environ)
    get, contains = kind.__getitem__, kind.__contains__

    def getitem(self: Any, key: Any) -> Any:
        watch.note("environment", key)
        return get(self, key)

    def has(self: Any, key: Any) -> bool:
        watch.note("environment", key)
        return contains(self, key)

    kind.__getitem__, kind.__contains__ = getitem, has  # type: ignore[method-assign]


def called(arguments: Sequence[str], watch: Watch) -> dict[str, Any]:
    from runner.cli.entry import run

    watch.seen, out, err = {}, io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(out), redirect_stderr(err):
        watch.on = True
        try:
            code = run(list(arguments))
        finally:
            watch.on = False
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return {"arguments": list(arguments), "code": code, "out": texts[0], "err": texts[1], **watch.seen}


def imported_from(folder: str) -> list[str]:
    files = (getattr(module, "__file__", None) for module in tuple(sys.modules.values()))
    return sorted(file for file in files if file and file.startswith(f"{folder}/"))


def main() -> None:
    commands = [json.loads(line) for line in sys.stdin]
    here = str(Path.cwd())
    watch = Watch()
    listen_to_the_environment(watch)
    sys.addaudithook(watch.hook)
    with Path(sys.argv[1]).open("w", encoding="utf-8") as report:
        for arguments in commands:
            print(json.dumps(called(arguments, watch) | {"imported": imported_from(here)}), file=report)


if __name__ == "__main__":
    main()
