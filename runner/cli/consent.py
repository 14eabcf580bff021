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
    """UsageError, with the word *otherwise*, for a no."""
    if not click.confirm(question, err=True):
        raise UsageError(otherwise, hint="nothing was touched")


def consent(question: str, otherwise: str, *, yes: bool, to: str) -> None:
    """Both of it."""
    if is_asked(yes=yes, to=to):
        ask(question, otherwise)
