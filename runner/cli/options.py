"""Options that several commands share, each with its variable PLAY_<FLAG>."""

import shlex
from collections.abc import Callable, Collection, Sequence
from math import isfinite
from typing import Any

import click
from click.core import ParameterSource

from runner.errors import UsageError

Command = Callable[..., Any]


class FiniteRange(click.FloatRange):
    """Numbers in a range; NaN, which is neither above nor below anything, is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; BadParameter where it is none of the range."""
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return found


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, shown in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


variables = together(
    click.option("--var", "variables", multiple=True, metavar="K=V", help="Set a variable of the playbook."),
    click.option(
        "--vars-file",
        "variable_files",
        multiple=True,
        type=click.Path(dir_okay=False),
        help="Read variables from a YAML file.",
    ),
)
root = click.option(
    "--root", metavar="DIR", help="The folder that manifests may lie in; default the repository."
)
allow_secrets = click.option(
    "--allow-secrets", is_flag=True, help="Take manifests of kind Secret, which the state file then holds."
)
reading = together(
    click.option("-n", "--namespace", metavar="NAME", help="Replaces the playbook's target.namespace."),
    variables,
    root,
    allow_secrets,
)
"""How a playbook that is to be played is read."""
cluster = together(
    click.option("--kubeconfig", metavar="FILE", help="The kubeconfig to use."),
    click.option("--context", metavar="NAME", help="The context of the kubeconfig."),
)
where = together(
    cluster,
    click.option("--prometheus", metavar="NAME|URL", help="A source of the operator's Config, or a URL."),
)
watching = together(
    click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    click.option(
        "-o", "--output", type=click.Choice(["text", "jsonl"]), default="text", help="Form of the events."
    ),
    click.option("--speed", type=FiniteRange(min=0.1), help="In the sandbox: times real time, to watch it."),
    click.option("--ascii", "plain", is_flag=True, help="ASCII characters only."),
    click.option("--log-file", metavar="FILE", help="Also write JSON log lines to a file."),
)


def reaching() -> str:
    """What was said on this command line of how the cluster is reached, for commands that are to reach it too."""
    return repeated(click.get_current_context(), ("kubeconfig", "context"))


def repeated(ctx: click.Context, names: Collection[str]) -> str:
    """Those of the parameters *names* that were typed, to be typed again; a shell takes it as it stands.

    What comes from the environment is there the next time, too.
    """
    words = []
    for option in ctx.command.params:
        name = option.name or ""
        if name in names and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            words += _typed(option, ctx.params[name])
    return "".join(f" {shlex.quote(word)}" for word in words)


def _typed(option: click.Parameter, value: Any) -> list[str]:
    word = max(option.opts, key=len)
    if isinstance(value, bool):
        return [word] if value else []
    return [part for each in (value if isinstance(value, tuple) else (value,)) for part in (word, str(each))]


REACH = ("kubeconfig", "context", "prometheus")
"""Parameters that say how a cluster and its metrics are reached."""


def known_runs(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The ids of the runs of this folder, for completion."""
    from runner.journal.file import newest_first
    from runner.journal.finding import FOLDER

    return [path.stem for path in newest_first(FOLDER) if path.stem.startswith(incomplete)]


run = click.argument("run", required=False, shell_complete=known_runs)


def refuse(ctx: click.Context, names: Sequence[str], why: str) -> None:
    """UsageError where one of the parameters *names* was typed, which has no effect here, and *why*.

    What comes from the environment is meant for other commands too.
    """
    for option in ctx.command.params:
        typed = ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if option.name in names and typed:
            raise UsageError(f"{max(option.opts, key=len)} has no effect: {why}", hint="leave it out")


def refuse_elsewhere(ctx: click.Context, *, sandbox: bool) -> None:
    """UsageError for what was typed for a cluster in the sandbox, or for the sandbox on a cluster."""
    if sandbox:
        refuse(ctx, REACH, "the sandbox reaches no cluster")
    else:
        refuse(ctx, ("speed", "seed"), "it is for the sandbox, and this is a cluster")


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """`K=V` texts as a mapping; UsageError for one without `=`."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--var {text!r} is not NAME=VALUE", hint="write for example --var canary=v2")
        found[name] = value
    return found
