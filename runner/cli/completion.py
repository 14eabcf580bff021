"""`runner completion SHELL`."""

import click
from click.shell_completion import get_completion_class

from runner.cli.root import root

VARIABLE = "_RUNNER_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    r"""Print the script that completes `runner` in SHELL.

    \b
    bash: eval "$(runner completion bash)"        in ~/.bashrc
    zsh:  eval "$(runner completion zsh)"         in ~/.zshrc
    fish: runner completion fish > ~/.config/fish/completions/runner.fish
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(root, {}, "runner", VARIABLE).source())
