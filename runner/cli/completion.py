"""`runner completion SHELL`."""

import click
from click.shell_completion import ShellComplete, get_completion_class

from runner.cli.root import root

VARIABLE = "_RUNNER_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes `runner` in SHELL.

    \b
    bash: eval "$(runner completion bash)"        in ~/.bashrc
    zsh:  eval "$(runner completion zsh)"         in ~/.zshrc
    fish: runner completion fish > ~/.config/fish/completions/runner.fish
    """
    kind = get_completion_class(shell)
    if kind is not None:
        # not kind.source(): for bash that starts whatever `bash` the PATH names, to ask for its version
        click.echo(ShellComplete.source(kind(root, {}, "runner", VARIABLE)))
