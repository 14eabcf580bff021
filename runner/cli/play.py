"""`runner play FILE`."""

from pathlib import Path
from typing import Any

import click

from runner import bootstrap
from runner.bootstrap import Place
from runner.cli import options
from runner.cli.asked import Asked, as_kept, asked_of, prepared, reach_of, scenario_of
from runner.cli.asked import playbook as playbook_options
from runner.cli.plan_file import read_plan, refuse_outdated
from runner.cli.playing import Session, carry_on
from runner.cli.recording import first_event
from runner.cli.watching import Wishes
from runner.document.playbook import Loaded
from runner.errors import LockedError, UsageError
from runner.journal import JournalFile, read
from runner.journal.finding import finished, path_of, typed


@click.command("play")
@click.argument("file", required=False, type=click.Path())
@click.option(
    "--sandbox", is_flag=True, help="Play in an embedded world, in virtual time; no cluster is touched."
)
@click.option("--scenario", metavar="FILE", help="What goes wrong in the sandbox (implies --sandbox).")
@click.option("--seed", type=int, default=1, help="The sandbox's chance.")
@options.where
@playbook_options
@click.option(
    "--plan", "plan", metavar="FILE", help="Play what this plan was made for, if nothing has moved since."
)
@click.option(
    "--state", "state", metavar="FILE", help="Where the run is recorded; default .runner/runs/RUN.jsonl."
)
@click.option("--until", metavar="STAGE", help="Stop after this stage; the run can be resumed.")
@click.option(
    "--from-here", is_flag=True, help="Accept a live split half way; the safe split is 100 % stable."
)
@options.watching
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Run the playbook FILE, in the sandbox or on a cluster."""
    kept = read_plan(given["plan"], ctx) if given["plan"] else None
    asked = asked_of(given) if kept is None else as_kept(kept["asked"], reach_of(given))
    run = bootstrap.new_run()
    path = Path(given["state"]) if given["state"] else path_of(run)
    _refuse_existing(path)
    wishes = Wishes(given["output"], given["speed"], given["plain"], given["log_file"], given["yes"])
    loaded, place = prepared(asked, lambda loaded: _place(asked, loaded, run, path, wishes))
    _check_until(given["until"], loaded)
    if kept is not None:
        refuse_outdated(kept, given["plan"], loaded, place)
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
        accept_live=asked.from_here,
    )
    ctx.exit(carry_on(session, wishes))


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


def _place(asked: Asked, loaded: Loaded, run: str, path: Path, wishes: Wishes) -> Place:
    clock = bootstrap.real_clock()
    if not asked.sandbox:
        return bootstrap.on_cluster(
            asked.reach, loaded.playbook, run, clock, lambda text: click.echo(text, err=True)
        )
    log, scenario = Path(f"{path}.world"), scenario_of(asked)
    return bootstrap.in_sandbox(
        loaded.playbook, scenario, log, start=clock.now(), seed=asked.seed, speed=wishes.speed
    )


def _check_until(until: str | None, loaded: Loaded) -> None:
    names = [stage.name for stage in loaded.playbook.stages]
    if until is not None and until not in names:
        raise UsageError(f"there is no stage {until!r}", hint=f"--until takes one of: {', '.join(names)}")
