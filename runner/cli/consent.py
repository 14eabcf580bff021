"""A person's yes, typed at a terminal or given beforehand by `-y`."""

import sys

import click

from runner.errors import UsageError


def is_asked(*, yes: bool, to: str) -> bool:
    """Whether a person is to be asked. UsageError where nobody is there to ask, and nobody said `-y` *to* do it."""
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "confirmation is needed, but stdin is no terminal", hint=f"pass -y to {to} without asking"
        )
    return not yes


def ask(question: str, otherwise: str) -> None:
    """UsageError, with the word *otherwise*, for a no, and for the end of the input; a signal as it came."""
    try:
        said = click.confirm(question, err=True)
    except click.Abort as stop:
        click.echo(err=True)  # the shell's next words begin a line of their own
        came = stop.__context__
        if not isinstance(came, EOFError):
            raise (came if isinstance(came, KeyboardInterrupt) else KeyboardInterrupt()) from None
        said = False
    if not said:
        raise UsageError(otherwise, hint="nothing was touched")


def consent(question: str, otherwise: str, *, yes: bool, to: str) -> None:
    """Go on only where a person says yes, or has said it by `-y`. UsageError otherwise."""
    if is_asked(yes=yes, to=to):
        ask(question, otherwise)
