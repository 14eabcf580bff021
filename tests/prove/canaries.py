"""No credential in any output: commands fail in a house full of secrets, and every byte that they wrote is searched.

A case is an entry of `canary_house.yaml`: how its house differs, which calls are answered how, which command runs,
and what it says when it has come as far as it should, so that a case that fails elsewhere proves nothing by accident.
"""

import importlib
import json
import logging
import os
import pkgutil
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from runner import cli, secrecy
from runner.adapters import api_server, exec_plugin
from runner.cli import entry
from runner.document.playbook import read_playbook
from runner.sandbox import open_world
from tests.adapters.loopback import Reply, Seen, refused_port, serving
from tests.fakes.api_server import Server
from tests.prove.canary_house import CANARIES, FILES, REPLIES, cases, furnish, leaks
from tests.prove.oracle import Violation

LONGEST = 60.0  # seconds that a command may take
FORMS: Mapping[str, Sequence[Sequence[str]]] = {
    "play": (["-o", "text"], ["-o", "jsonl"]),
    "plan": (["-o", "text"], ["-o", "markdown"], ["-o", "json", "--out", "plan.json"]),
    "validate": tuple(["-o", form] for form in ("text", "json", "github", "sarif", "gitlab")),
    "rehearse": (["-o", "text"], ["-o", "markdown"], ["-o", "json"]),
}
AFTERWARDS = (
    ["status", "run.jsonl"],
    ["status", "run.jsonl", "-o", "json"],
    ["runs", "-o", "json"],
    ["runs"],
    ["audit", "run.jsonl"],
)


@cache
def every() -> tuple[dict[str, Any], ...]:
    """All cases of the data file; by then this process has imported what its forks will need."""
    for name in (
        "kubernetes.client",
        "runner.logs",
        "runner.bootstrap",
        "runner.audit",
        "jsonschema",
        "rich.live",
    ):
        importlib.import_module(name)
    for module in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"runner.cli.{module.name}")
    return tuple(cases())


def items() -> Iterator[tuple[str, int]]:
    """Each case in each form of its command's output."""
    for case in every():
        for form in range(len(_forms(case))):
            yield case["case"], form


def searched(name: str, form: int = 0) -> Mapping[str, float]:
    """Play one case in one form; Violation where a secret got out, or where it did not come as far as it says."""
    case = next(case for case in every() if case["case"] == name)
    with tempfile.TemporaryDirectory(prefix="canary-") as place:
        folder = Path(place)
        house = _House(case, folder, tuple(_forms(case)[form]))
        said = house.play()
        searched = house.search()
    if case["says"] not in " ".join(said.split()):
        raise Violation(f"{name} did not say {case['says']!r}: {said[-600:]}")
    return {"bytes searched": searched}


def _forms(case: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return case.get("forms") or FORMS.get(case["run"].split()[0], ([],))


class _House:
    """One case: its folder, its servers, its processes."""

    def __init__(self, case: Mapping[str, Any], folder: Path, form: Sequence[str]) -> None:
        self.case, self.folder, self.form = case, folder, form
        self.process = 0
        self.before: dict[Path, bytes] = {}
        self.seen: list[Seen] = []

    def play(self) -> str:
        """Run the command, and those that look at its run afterwards; all that was said."""
        first, *later = processes = self._processes()
        try:
            return self._played(first, later)
        finally:
            for process in processes:
                process.dismiss()

    def _played(self, first: "_Process", later: Sequence["_Process"]) -> str:
        with serving(self._answers()) as loopback:
            furnish(self.folder, self.case, self.case.get("server") or loopback.url)
            self._proxied(loopback.url)
            self.before = self._files()
            said = first.run(self._arguments(), self.case.get("interrupt"))
            if (self.folder / "work" / "run.jsonl").exists():
                for process, arguments in zip(later, AFTERWARDS, strict=True):
                    said += process.run(arguments, None)
        return said

    def _processes(self) -> list["_Process"]:
        """Forked before any thread is there."""
        return [_Process(self.folder, number, self.case) for number in range(1 + len(AFTERWARDS))]

    def _proxied(self, url: str) -> None:
        kubeconfig = self.folder / "home/kubeconfig"
        text = kubeconfig.read_text("utf-8").replace("@PROXY@", url.removeprefix("http://"))
        kubeconfig.write_text(text.replace("@REFUSED@", str(refused_port())), "utf-8")

    def _arguments(self) -> list[str]:
        command, *rest = self.case["run"].split()
        arguments = [*rest]
        if command == "play" and "--plan" not in rest:
            where = [] if "--sandbox" in rest else ["--context", "test"]
            arguments += ["-y", *where, "--state", "run.jsonl", "--log-file", "run.log"]
        if command in ("play", "plan", "rehearse"):
            arguments += ["--var", f"db_password={CANARIES['variable']}"] if "book.yaml" in rest else []
        return [command, *arguments, *self.form]

    def _answers(self) -> Any:
        world = open_world(_book(), None, seed=1, start=time.time())
        server, faults = Server(world), [dict(fault) for fault in self.case.get("api", ())]

        def answer(seen: Seen) -> Reply:
            self.seen.append(seen)
            for fault in faults:
                if re.search(fault["call"], f"{seen.method} {seen.path}") and fault.get("after", 0) <= 0:
                    return REPLIES[fault["reply"]](seen)
                if re.search(fault["call"], f"{seen.method} {seen.path}"):
                    fault["after"] -= 1
            if "/metrics/" in seen.path or seen.path.startswith("http"):
                return REPLIES[self.case.get("metrics", "prometheus fine")](seen)
            return server.answer(seen)

        return answer

    def _files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def search(self) -> int:
        """How many bytes were searched. Violation names the file and the secrets in it."""
        after = self._files()
        written = {path: data for path, data in after.items() if self.before.get(path) != data}
        for path, data in written.items():
            recorded = path.name.startswith(("run.jsonl", "plan.json"))
            if found := leaks(data, recorded):
                raise Violation(
                    f"{self.case['case']}: {path.name} holds {', '.join(found)}: {data[-1500:]!r}"
                )
        for seen in self.seen:
            if found := leaks(seen.target.encode(), recorded=False):
                raise Violation(f"{self.case['case']}: an address holds {', '.join(found)}")
        return sum(map(len, written.values()))


@cache
def _book() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("work/book.yaml", "work/settings.yaml"):
            file = Path(folder) / Path(name).name
            file.write_text(FILES[name], "utf-8")
        return read_playbook(Path(folder) / "book.yaml").playbook


class _Process:
    """A forked `runner` that waits for its arguments, so that it exists before any server's thread does."""

    def __init__(self, folder: Path, number: int, case: Mapping[str, Any]) -> None:
        self.folder, self.number, self.over = folder, number, False
        reading, self._job = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._job)
            self._live(reading, case)
        os.close(reading)

    def run(self, arguments: Sequence[str], interrupt: str | None) -> str:
        """What it printed. Violation when it takes too long."""
        os.write(self._job, json.dumps(arguments).encode() + b"\n")
        os.close(self._job)
        self._wait(interrupt)
        return "".join(self._printed(stream) for stream in ("out", "err"))

    def dismiss(self) -> None:
        """One that was never needed, or never ended, is not left behind."""
        if not self.over:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def _printed(self, stream: str) -> str:
        file = self.folder / f"{self.number}.{stream}"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def _logged(self) -> str:
        log = self.folder / "work" / "run.log"
        return log.read_text("utf-8") if log.exists() else ""

    def _wait(self, interrupt: str | None) -> None:
        names = (interrupt or "").split(" at ", 1)
        until, sent = time.monotonic() + LONGEST, False
        while time.monotonic() < until:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.over = True
                return
            if interrupt and not sent and names[1] in self._logged():
                os.kill(self.pid, getattr(signal, names[0]))
                sent = True
            time.sleep(0.02)
        said = self._printed("out") + self._printed("err") + self._logged()
        raise Violation(f"process {self.number} took longer than {LONGEST:.0f} s: {said[-600:]}")

    def _live(self, reading: int, case: Mapping[str, Any]) -> None:
        """In the child: nothing of the parent's streams, folder, environment and secrets is left."""
        code = 99
        try:
            arguments = json.loads(_line_of(reading))
            for number, name in ((1, "out"), (2, "err")):
                file = os.open(self.folder / f"{self.number}.{name}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
                os.dup2(file, number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
            sys.stdout = os.fdopen(1, "w", 1, encoding="utf-8", closefd=False)
            sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
            os.chdir(self.folder / "work")
            _settle(self.folder, case)
            with _tampered(case.get("bug", "")):
                code = entry.run(arguments)
            sys.stdout.flush()
        except BaseException as error:
            os.write(2, f"the case itself broke: {type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)


def _line_of(descriptor: int) -> bytes:
    """To its end, and no further: later processes hold the other end of the pipe open."""
    read = b""
    while not read.endswith(b"\n"):
        piece = os.read(descriptor, 65536)
        if not piece:
            raise EOFError
        read += piece
    return read


def _settle(folder: Path, case: Mapping[str, Any]) -> None:
    """The environment of the house, patience that a test has, and a process that knows no secret yet."""
    secrecy._known.clear()
    tempfile.tempdir = None
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "KUBECONFIG": str(folder / "home/kubeconfig"),
        "CLOUD_SECRET_ACCESS_KEY": CANARIES["environment"],
        **{name: _with_secrets(text) for name, text in case.get("environ", {}).items()},
    }
    os.environ.clear()
    os.environ.update(environ)
    api_server.ApiServer.__init__.__kwdefaults__["deadline"] = 0.5
    exec_plugin.PATIENCE = case.get("patience", 30.0)
    if "limit" in case:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (case["limit"], case["limit"]))


def _with_secrets(text: str) -> str:
    return re.sub(r"<<(\w+)>>", lambda found: CANARIES[found[1]], text)


@contextmanager
def _tampered(bug: str) -> Iterator[None]:
    """A fault of the program itself, with secrets in its variables and in its words."""
    if not bug:
        yield
        return
    send = api_server.ApiServer._send

    def broken(self: Any, request: Any) -> Any:
        password = CANARIES["local"]
        headers = dict(self._headers(request))
        if "virtualservices" not in request.target:
            return send(self, request)
        if bug == "crash":
            raise ValueError(headers, len(password))
        try:
            return 1 / (len(password) - len(password))
        except ZeroDivisionError:
            logging.getLogger("urllib3.connectionpool").warning("again: %s", headers, exc_info=True)
        return send(self, request)

    api_server.ApiServer._send = broken
    yield
