"""Every way in which text of others reaches a person or a machine, as a function of that text."""

import contextlib
import io
import json
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from runner import logs
from runner.cli import entry
from runner.engine.events import Event
from runner.errors import Diagnostic, Location, RunnerError, Severity
from runner.journal.codec import Link, encode
from runner.model.playbook import Route
from runner.model.split import split_of
from runner.reports import diagnostics
from runner.reports.by_hand import kubectl_back, kubectl_look
from runner.reports.confirm import confirmation
from runner.reports.errors import error_lines
from runner.reports.fold import fold, opening
from runner.reports.frame import Moment, frame
from runner.reports.jsonl import JournalLines
from runner.reports.narrator import Narrator
from runner.reports.output import Output
from runner.reports.progress import said_of
from runner.reports.status import Shown, runs_table, status_json, status_lines
from runner.reports.streams import guarding
from runner.reports.summary import last_words
from runner.reports.tables import markdown
from runner.reports.terminal import Terminal
from tests.reports import stories
from tests.reports.bookinfo import playbook
from tests.reports.stories import CLASSES, NOON

HOSTILE: Mapping[str, str] = json.loads(Path(__file__).with_name("hostile.json").read_text("utf-8"))
STORY = Path(__file__).with_name("release.jsonl").read_text("utf-8")
SAFE = split_of({"v1": 100, "v3": 0})
PLAIN = Terminal()


def events(text: str) -> Iterator[Any]:
    """A release in which everybody who says something says *text*."""
    for line in STORY.splitlines():
        yield stories._item(_with(json.loads(line), text))


def _with(value: Any, text: str) -> Any:
    match value:
        case "@":
            return text
        case dict():
            return {key: _with(item, text) for key, item in value.items()}
        case list():
            return [_with(item, text) for item in value]
        case _:
            return value


def _book(text: str) -> Any:
    book = playbook()
    named = tuple(replace(stage, name=f"{text} {n}") for n, stage in enumerate(book.stages))
    return replace(book, name=text, version=text, stages=named)


def _view(text: str) -> Any:
    view = opening("7f3a", _book(text), handle=text)
    for item in events(text):
        if isinstance(item, get_args(Event)):
            view = fold(view, item)
    return view


def narrated(text: str, terminal: Terminal = PLAIN) -> str:
    """The line printer and its last words."""
    stream = io.StringIO()
    output = Output(stream, terminal)
    narrator = Narrator(opening("7f3a", _book(text), handle=text), output)
    for item in events(text):
        if isinstance(item, get_args(Event)):
            narrator.heard(item, "")
        else:
            narrator.noticed(item)
        narrator.tick(NOON + 3600)
    narrator.close()
    for line in last_words(narrator.view, terminal, handle=shlex.quote(text)):
        output.line(line)
    return stream.getvalue()


def screen(text: str) -> str:
    """The live screen, after every fourth thing that happens."""
    pictures, view = [], opening("7f3a", _book(text), handle=text)
    for number, item in enumerate(events(text)):
        if isinstance(item, get_args(Event)):
            view = fold(view, item)
        if number % 4:
            continue
        notice = (said_of(item, "") or ("", ""))[1] if not isinstance(item, get_args(Event)) else ""
        for row in frame(view, Moment(NOON, notice), Terminal(live=True), 100, 40):
            pictures.append("".join(span.text for span in row.spans))
    return "\n".join(pictures)


def status(text: str) -> str:
    """`runner status` and `runner runs` for people."""
    shown = Shown(_view(text), living=False, handle=text)
    lines = [*status_lines(shown, NOON, Terminal(), width=100), *runs_table([shown], NOON, Terminal())]
    return "\n".join(lines)


def status_for_machines(text: str) -> str:
    """`-o json` of both."""
    return json.dumps(status_json(Shown(_view(text), living=False, handle=text)))


def journal(text: str) -> str:
    """`-o jsonl`, and so the state file."""
    stream, link = io.StringIO(), Link("7f3a")
    lines = JournalLines(Output(stream, Terminal()))
    for item in events(text):
        if type(item) in CLASSES.values():
            line, link = encode(item, link)
            lines.heard(item, line)
    return stream.getvalue()


def logged(text: str, *, console: bool = False) -> str:
    """The log, at its most talkative, and a library that repeats what it heard."""
    stream, link = io.StringIO(), Link("7f3a")
    log = logs.open_log(stream, level="debug", console=console)
    listener = logs.EventLog(log, playbook=text)
    for item in events(text):
        if type(item) in CLASSES.values():
            line, link = encode(item, link)
            listener.heard(item, line)
        else:
            listener.noticed(item)
    log.error(text, exc_info=ValueError(text))
    return stream.getvalue()


def _found(text: str) -> tuple[Diagnostic, ...]:
    place = Location(f"dir/{text}.yaml", 3, 2, 9)
    return (
        Diagnostic("RUN107", text, place, Severity.ERROR, text, text),
        Diagnostic("RUN107", text, place, Severity.WARNING, None, f"key: {text}"),
    )


def diagnosed(form: str) -> Callable[[str], str]:
    """`runner validate -o FORM`."""
    if form == "text":
        return lambda text: diagnostics.render_text(_found(text))
    return lambda text: diagnostics.render(form, _found(text), [f"dir/{text}.yaml"])


def told(text: str) -> str:
    """An error, and the question before a run."""
    lines = error_lines(RunnerError(text, hint=text), Terminal())
    target = dict.fromkeys(("context", "server", "user", "namespace", "prometheus"), text)
    return "\n".join([*lines, *confirmation(_book(text), target, {"reviews": SAFE}, Terminal())])


def pasted(text: str) -> tuple[str, str]:
    """Lines for a shell."""
    route = Route("r", text, text, canary="v3", stable="v1")
    return kubectl_back(route, SAFE, context=text), kubectl_look(route, context=text)


PAGES: Mapping[str, Callable[[str], str]] = {
    "lines": narrated,
    "lines in a workflow": lambda text: narrated(text, Terminal(github=True)),
    "lines in ASCII": lambda text: narrated(text, Terminal(ascii=True)),
    "the screen": screen,
    "status and runs": status,
    "errors and the question": told,
    "diagnostics": diagnosed("text"),
    "diagnostics for GitHub": diagnosed("github"),
    "Markdown": markdown,
}
"""For people."""
DATA: Mapping[str, Callable[[str], str]] = {
    "status -o json": status_for_machines,
    "-o jsonl": journal,
    "the log": logged,
    "diagnostics as JSON": diagnosed("json"),
    "diagnostics as SARIF": diagnosed("sarif"),
    "diagnostics for GitLab": diagnosed("gitlab"),
}
"""For machines: JSON, whole or a line each."""

BOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {{name: hostile, description: {0}}}
vars: {{said: {0}}}
target: {{namespace: shop}}
routes: {{orders: {{virtualService: orders, stable: v1, canary: v2}}}}
checks: {{{0}: {{query: 'vector(1)', max: 2, unit: ms}}}}
stages:
  - {{name: {0}, approve: {{message: "{{{{ said }}}}", timeout: 1m}}}}
  - {{name: shift, shift: {{route: orders, canary: 20}}}}
  - {{name: look, verify: {{checks: [{0}], every: 15s, count: 1}}}}
"""
COMMANDS: Sequence[Sequence[str]] = (
    *(["validate", "book.yaml", "-o", form] for form in diagnostics.FORMS),
    *(["plan", "book.yaml", "--sandbox", "-o", form] for form in ("text", "markdown", "json")),
    *(["rehearse", "book.yaml", "-o", form] for form in ("text", "markdown", "json")),
    ["play", "book.yaml", "--sandbox", "--state", "run.jsonl"],
    ["play", "book.yaml", "--sandbox", "--state", "next.jsonl", "-o", "jsonl"],
    ["status", "run.jsonl"],
    ["status", "run.jsonl", "-o", "json"],
    ["audit", "run.jsonl"],
    ["approve", "run.jsonl"],
)


def commanded(text: str, *, guarded: bool) -> Iterator[tuple[str, str, str]]:
    """Each command on a playbook full of *text*: its words, what it printed, and what it complained of.

    Without the guard of the two streams, whoever prints has to have escaped by himself.
    """
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("book.yaml").write_text(BOOK.format(json.dumps(text)), "utf-8")
            for command in COMMANDS:
                out, err = io.StringIO(), io.StringIO()
                with (
                    contextlib.redirect_stdout(out),
                    contextlib.redirect_stderr(err),
                    guarding() if guarded else contextlib.nullcontext(),
                ):
                    entry._run(list(command))
                yield " ".join(command), out.getvalue(), err.getvalue()
        finally:
            os.chdir(before)
