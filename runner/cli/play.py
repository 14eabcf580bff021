"""`runner play FILE`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place, Reach
from runner.cli import options
from runner.cli.playing import Session, carry_on
from runner.cli.recording import first_event
from runner.cli.watching import Wishes
from runner.document.playbook import Loaded, read_playbook
from runner.errors import LockedError, UsageError
from runner.journal import JournalFile, read
from runner.journal.finding import finished, path_of, typed
from runner.model.scenario import Scenario
from runner.stages.meeting import stable_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about the playbook and its place."""

    file: str
    variables: dict[str, str]
    variable_files: tuple[str, ...]
    namespace: str | None
    root: str | None
    allow_secrets: bool
    sandbox: bool
    scenario: str | None
    seed: int
    reach: Reach


@click.command("play")
@click.argument("file", type=click.Path())
@click.option(
    "--sandbox", is_flag=True, help="Play in an embedded world, in virtual time; no cluster is touched."
)
@click.option("--scenario", metavar="FILE", help="What goes wrong in the sandbox (implies --sandbox).")
@click.option("--seed", type=int, default=1, help="The sandbox's chance.")
@options.where
@click.option("-n", "--namespace", metavar="NAME", help="Replaces the playbook's target.namespace.")
@options.variables
@click.option(
    "--state", "state", metavar="FILE", help="Where the run is recorded; default .runner/runs/RUN.jsonl."
)
@click.option("--until", metavar="STAGE", help="Stop after this stage; the run can be resumed.")
@click.option(
    "--from-here", is_flag=True, help="Accept a live split half way; the safe split is 100 % stable."
)
@click.option("--root", metavar="DIR", help="The folder that manifests may lie in; default the repository.")
@click.option("--allow-secrets", is_flag=True, help="Apply manifests of kind Secret.")
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Run the playbook FILE, in the sandbox or on a cluster."""
    asked = _asked(given)
    run = bootstrap.new_run()
    path = Path(given["state"]) if given["state"] else path_of(run)
    _refuse_existing(path)
    wishes = Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])
    scenario = _scenario(asked.scenario)
    loaded, place = _prepare(asked, run, path, scenario, wishes)
    _check_until(given["until"], loaded)
    if not asked.sandbox:
        from runner.cli.asking import confirm, refuse_forbidden

        refuse_forbidden(loaded.playbook, place, asked.file)
        confirm(loaded.playbook, place, yes=wishes.yes, context_given=asked.reach.context is not None)
    root = str(Path(asked.root).resolve()) if asked.root else None
    replaced = {"namespace": asked.namespace, "root": root}
    seed = asked.seed if asked.sandbox else None
    started = first_event(loaded, place, asked.file, asked.scenario, seed, replaced)
    journal, line = JournalFile.create(path, run, started)
    session = Session(
        loaded.playbook,
        place,
        journal,
        past=(started,),
        fresh=((started, line),),
        until=given["until"],
        accept_live=given["from_here"],
    )
    ctx.exit(carry_on(session, wishes))


def _asked(given: dict[str, Any]) -> Asked:
    return Asked(
        file=given["file"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        namespace=given["namespace"],
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        sandbox=given["sandbox"] or given["scenario"] is not None,
        scenario=given["scenario"],
        seed=given["seed"],
        reach=Reach(given["kubeconfig"], given["context"], given["prometheus"]),
    )


def _refuse_existing(path: Path) -> None:
    """A state file is never begun twice."""
    if not path.exists():
        return
    record = read(path)
    if finished(record):
        raise UsageError(f"{path} holds a finished run", hint="choose another file, or leave --state out")
    raise LockedError(
        f"{path} holds run {record.run}, which is not finished",
        hint=f"go on with it: runner resume {typed(record)}",
    )


def _scenario(file: str | None) -> Scenario | None:
    if file is None:
        return None
    from runner.document.scenario import read_scenario

    return read_scenario(file)


def _read(asked: Asked, stables: dict[str, str]) -> Loaded:
    return read_playbook(
        asked.file,
        variables=asked.variables,
        variable_files=asked.variable_files,
        stables=stables,
        root=asked.root,
        allow_secrets=asked.allow_secrets,
        namespace=asked.namespace,
    )


def _prepare(
    asked: Asked, run: str, path: Path, scenario: Scenario | None, wishes: Wishes
) -> tuple[Loaded, Place]:
    """The playbook and its place; a stable subset that is not written is read from the live split first."""
    loaded = _read(asked, {})
    place = _place(asked, loaded, run, path, scenario, wishes)
    if not loaded.unresolved:
        return loaded, place
    stables = {name: _live_stable(place, loaded, name) for name in loaded.unresolved}
    return _read(asked, stables), place


def _place(
    asked: Asked, loaded: Loaded, run: str, path: Path, scenario: Scenario | None, wishes: Wishes
) -> Place:
    clock = bootstrap.real_clock()
    if not asked.sandbox:
        return bootstrap.on_cluster(
            asked.reach, loaded.playbook, run, clock, lambda text: click.echo(text, err=True)
        )
    log = Path(f"{path}.world")
    return bootstrap.in_sandbox(
        loaded.playbook, scenario, log, start=clock.now(), seed=asked.seed, speed=wishes.speed
    )


def _live_stable(place: Place, loaded: Loaded, name: str) -> str:
    route = loaded.playbook.route(name)
    stable = stable_of(place.cluster, route)
    if stable is None:
        raise UsageError(
            f"route {name!r} names no stable subset, and no subset of VirtualService"
            f" {route.namespace}/{route.virtual_service} has all the traffic",
            hint=f"write routes: {{{name}: {{stable: NAME}}}}",
        )
    return stable


def _check_until(until: str | None, loaded: Loaded) -> None:
    names = [stage.name for stage in loaded.playbook.stages]
    if until is not None and until not in names:
        raise UsageError(f"there is no stage {until!r}", hint=f"--until takes one of: {', '.join(names)}")
