"""The click group that imports a command's module when it is called."""

import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

from runner import __version__
from runner.cli.commands import COMMANDS, root_help

SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True}


def _name_variables(command: click.Command) -> None:
    """Give every option its PLAY_<FLAG>, after the flag that people type, not after the parameter."""
    for option in command.params:
        if isinstance(option, click.Option):
            flag = next(name for name in option.opts if name.startswith("--"))
            option.envvar = "PLAY_" + flag.removeprefix("--").replace("-", "_").upper()


class LazyGroup(click.Group):
    """Knows its commands by name; each is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The module's `command`; None for a name that is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"runner.cli.{cmd_name}").command
        command.context_settings = {**SETTINGS, **command.context_settings}
        _name_variables(command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """As click does, with the nearest name for a mistyped one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by name, without importing any, then the group's own options."""
        named = [(name, text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [
            *(CompletionItem(name, help=text) for name, text in named),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The same page that the fast path prints."""
        del ctx
        formatter.write(root_help())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="runner %(version)s")
def root() -> None:
    """Plays, reviews and resumes declarative gray (canary) releases."""
