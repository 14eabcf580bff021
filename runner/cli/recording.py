"""The first line of a state file, and the playbook read back from it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from runner.bootstrap import Place, who
from runner.document.load import read
from runner.document.playbook import Loaded, read_playbook, rebuild
from runner.engine.events import RunStarted
from runner.errors import DisagreementError, RunnerError
from runner.journal import Record
from runner.journal.codec import plain
from runner.journal.finding import typed
from runner.model.playbook import Playbook
from runner.routers.marker import digest_of


def first_event(
    loaded: Loaded,
    place: Place,
    file: str,
    scenario: str | None,
    seed: int | None,
    asked: Mapping[str, str | None],
) -> RunStarted:
    """All that `resume` needs, rendered; *asked* is what the command line put in place of the playbook's own."""
    manifests = plain(loaded.manifests)
    given = {name: value for name, value in asked.items() if value is not None}
    return RunStarted(
        at=place.clock.now(),
        playbook=loaded.tree,
        variables=plain(loaded.variables),
        manifests=manifests,
        target={**place.target, "asked": given} if given else place.target,
        digest=digest_of([loaded.tree, manifests]),
        scenario=read(scenario).tree if scenario is not None else None,
        seed=seed,
        source=str(Path(file).resolve()),
        by=who(),
    )


def recorded_playbook(record: Record) -> Playbook:
    """The playbook as it was when the run began."""
    started = record.started
    return rebuild(started.playbook, started.variables, started.manifests)


def refuse_drift(record: Record, accepted: str | None) -> None:
    """DisagreementError when the playbook on the disk is another by now; a missing one is no disagreement."""
    started = record.started
    wrong = ""
    try:
        now = _digest_now(started)
    except RunnerError:
        now = digest_of(Path(started.source).read_bytes().hex())
        wrong = f", and cannot be played: runner validate {shlex.quote(started.source)}"
    if now is None or now == started.digest or (accepted and now.startswith(accepted)):
        return
    raise DisagreementError(
        f"{started.source} is not what run {record.run} began with\n"
        f"  recorded  {started.digest}\n  on disk   {now}{wrong}",
        hint=f"go on with the recorded one: runner resume {typed(record)} --accept-drift {now[:8]}",
    )


def _digest_now(started: RunStarted) -> str | None:
    if not Path(started.source).is_file():
        return None
    routes = started.playbook.get("routes", {})
    stables = {name: route["stable"] for name, route in routes.items() if "stable" in route}
    texts = {name: str(value) for name, value in started.variables.items()}
    asked = started.target.get("asked", {})
    loaded = read_playbook(
        started.source,
        variables=texts,
        stables=stables,
        recorded=True,
        namespace=asked.get("namespace"),
        root=asked.get("root"),
    )
    return digest_of([loaded.tree, plain(loaded.manifests)])
