"""Which state file a person means."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from runner.engine.events import RunFinished
from runner.errors import DisagreementError, RunnerError, UsageError
from runner.journal.file import Record, newest_first, read
from runner.journal.parts import SCHEME

FOLDER = Path(".runner") / "runs"
IN_A_CLUSTER = "or by where its state lies in a cluster: configmap:NAMESPACE/NAME"


@dataclass(frozen=True, slots=True)
class Listed:
    """A state file and its record, or why it has none."""

    path: Path
    record: Record | None
    trouble: str = ""


def path_of(run: str) -> Path:
    """Where the state of *run* lies by default."""
    return FOLDER / f"{run}.jsonl"


def handle_of(path: Path, run: str) -> str:
    """What a person types to mean this run, as a shell takes it: its id where that is enough, else where its state is.

    A place in a cluster comes with the options that lead there.
    """
    if str(path).startswith(SCHEME):
        return str(path)
    return shlex.quote(run if path == path_of(run) else str(path))


def typed(record: Record) -> str:
    """The handle of *record*."""
    return handle_of(record.path, record.run)


def finished(record: Record) -> bool:
    """Whether the run has had its last word."""
    return isinstance(record.events[-1], RunFinished)


def every_run() -> list[Listed]:
    """All runs, newest first; a damaged file is listed with what is wrong with it."""
    listed = []
    for path in newest_first(FOLDER):
        try:
            listed.append(Listed(path, read(path)))
        except RunnerError as error:
            listed.append(Listed(path, None, error.message))
    return listed


def find(run: str | None, *, unfinished: bool = False) -> Path:
    """The state file of a run id (or its beginning) or a path; without one, the newest.

    UsageError where there is none, or more than one could be meant.
    """
    if run is None:
        return _newest(unfinished=unfinished)
    if (path := Path(run)).suffix == ".jsonl" or path.is_file() or "/" in run:
        return path
    if path_of(run).is_file():
        return path_of(run)
    near = [path for path in newest_first(FOLDER) if path.stem.startswith(run)]
    if len(near) == 1:
        return near[0]
    raise UsageError(
        f"{'several runs begin' if near else 'no run begins'} with {run!r} in {FOLDER}{_names(near)}",
        hint=f"`runner runs` lists them; a run can be named by the path of its state file, {IN_A_CLUSTER}",
    )


def _newest(*, unfinished: bool) -> Path:
    damaged: DisagreementError | None = None
    for path in newest_first(FOLDER):
        try:
            if not unfinished or not finished(read(path)):
                return path
        except DisagreementError as error:
            damaged = damaged or error
    if damaged is not None:
        raise damaged
    what = "unfinished run" if unfinished else "run"
    raise UsageError(
        f"there is no {what} in {FOLDER}",
        hint=f"`runner runs` lists all; name one by its id or path, {IN_A_CLUSTER}",
    )


def only_unfinished(verb: str) -> Path:
    """The one run that is not finished; UsageError lists them where there are none or several, for *verb*."""
    listed = [item for item in every_run() if item.record is not None and not finished(item.record)]
    if len(listed) == 1:
        return listed[0].path
    names = _names([item.path for item in listed])
    what = "several runs are unfinished" if listed else f"no run in {FOLDER} is unfinished"
    raise UsageError(
        f"{what}{names}", hint=f"say which: `runner {verb} RUN`; `runner runs` lists all; {IN_A_CLUSTER}"
    )


def _names(paths: list[Path]) -> str:
    return ": " + ", ".join(path.stem for path in paths) if paths else ""
