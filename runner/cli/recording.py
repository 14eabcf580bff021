"""The first line of a state file, and the playbook read back from it."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.bootstrap import Place, who
from runner.document.load import read
from runner.document.playbook import Loaded, read_playbook, rebuild
from runner.engine.events import RunStarted
from runner.errors import DisagreementError, RunnerError, UsageError
from runner.journal import Record
from runner.journal.codec import plain
from runner.journal.finding import typed
from runner.model.playbook import Playbook
from runner.ports import ObjectRef
from runner.routers.marker import digest_of
from runner.stages.kinds import compile_playbook

LEAST_DIGEST = 8  # characters of a digest that are shown, and that are enough to mean it


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
    target: dict[str, Any] = {**place.target, **({"asked": given} if given else {})}
    if (uid := _uid(place)) is not None:
        target["cluster"] = uid
    return RunStarted(
        at=place.clock.now(),
        playbook=loaded.tree,
        variables=plain(loaded.variables),
        manifests=manifests,
        target=target,
        digest=digest_of([loaded.tree, manifests]),
        scenario=read(scenario).tree if scenario is not None else None,
        seed=seed,
        source=str(Path(file).resolve()),
        by=who(),
    )


def _uid(place: Place) -> str | None:
    """What tells a cluster from all others, whatever its address: the UID of its first namespace.

    None in the sandbox, and for who may not look at it: a run needs no right to that.
    """
    found = None
    if not place.target.get("sandbox"):
        with suppress(RunnerError):
            found = place.cluster.get(ObjectRef("v1", "Namespace", "", "kube-system"))
    return str(found["metadata"]["uid"]) if found is not None and found["metadata"].get("uid") else None


def refuse_other_cluster(record: Record, place: Place) -> None:
    """DisagreementError where *place* is known to be another cluster than the one that *record* began in."""
    recorded = record.started.target.get("cluster")
    now = _uid(place) if recorded is not None else None
    if now is None or now == recorded:
        return
    context, server = place.target.get("context"), place.target.get("server")
    raise DisagreementError(
        f"run {record.run} began in another cluster\n"
        f"  recorded  {recorded}, by context {record.started.target.get('context')}\n"
        f"  now       {now}, by context {context} at {server}",
        hint="name the one that it began in: --context NAME, or --kubeconfig FILE",
    )


def recorded_playbook(record: Record) -> Playbook:
    """The playbook as it was when the run began. DisagreementError where what is recorded is none."""
    started = record.started
    try:
        playbook = rebuild(started.playbook, started.variables, started.manifests)
        compile_playbook(record.run, playbook)  # what a stage names may be missing, though each part fits
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DisagreementError(
            f"{record.path}:1: the playbook that run {record.run} began with is not one that can be played",
            hint="the first line of the state file was not written by runner, or by a later one;"
            " `runner rollback --route ROUTE -n NAMESPACE` goes back without this file",
        ) from error
    return playbook


def refuse_drift(record: Record, accepted: Sequence[str]) -> tuple[str, ...]:
    """Those of the digests in *accepted* that do not mean the playbook on the disk; a missing one is no disagreement.

    DisagreementError where it is another by now, and none of them means it.
    """
    started = record.started
    wrong = ""
    try:
        now = _digest_now(started)
    except RunnerError:
        now = digest_of(Path(started.source).read_bytes().hex())
        wrong = f", and cannot be played: runner validate {shlex.quote(started.source)}"
    if now is None:
        return tuple(accepted)
    others = tuple(digest for digest in accepted if not means(digest, now))
    if now == started.digest or len(others) < len(accepted):
        return others
    raise DisagreementError(
        f"{started.source} is not what run {record.run} began with\n"
        f"  recorded  {started.digest}\n  on disk   {now}{wrong}{_given(accepted)}",
        hint=f"go on with the recorded one: {accepting(record, (*accepted, now[:LEAST_DIGEST]))}",
    )


def check_until(until: str | None, playbook: Playbook) -> None:
    """UsageError for a stage that *playbook* does not have."""
    names = [stage.name for stage in playbook.stages]
    if until is not None and until not in names:
        raise UsageError(f"there is no stage {until!r}", hint=f"--until takes one of: {', '.join(names)}")


def means(given: str, digest: str) -> bool:
    """Whether a person's *given* is enough of *digest* that nobody can have meant another."""
    return len(given) >= LEAST_DIGEST and digest.startswith(given)


def accepting(record: Record, digests: Sequence[str]) -> str:
    """The command that goes on with *record* and what differs from it."""
    options = "".join(f" --accept-drift {shlex.quote(digest)}" for digest in digests if digest)
    return f"runner resume {typed(record)}{options}"


def _given(accepted: Sequence[str]) -> str:
    return "".join(f"\n  given     {digest!r}" for digest in accepted)


def _is_there(source: str) -> bool:
    """A name that no disk takes is that of no file."""
    try:
        return Path(source).is_file()
    except OSError:
        return False


def _digest_now(started: RunStarted) -> str | None:
    if not _is_there(started.source):
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
