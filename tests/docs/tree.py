"""The command tree: what `runner` understands, and a page that says so."""

import click

from runner.cli.root import root


def command_names() -> list[str]:
    """Every command of `runner`."""
    return list(root.list_commands(click.Context(root)))


def command(name: str) -> click.Command | None:
    """The command called *name*."""
    return root.get_command(click.Context(root), name)


def flags(found: click.Command) -> set[str]:
    """Every spelling of every option of *found*."""
    options = {
        opt
        for param in found.params
        if isinstance(param, click.Option)
        for opt in (*param.opts, *param.secondary_opts)
    }
    return options | {"--help", "-h"}


def page() -> str:
    """docs/reference/commands.md, from the tree."""
    return HEAD + "\n".join(_section(name) for name in command_names())


HEAD = """\
# Commands

<!-- written by `make docs` from the command tree -->

Standard output carries the result, standard error everything else. Every option has a variable `PLAY_<OPTION>`
(`--state` is `PLAY_STATE`). How commands end is told in [exit codes](exit-codes.md).

"""


def _section(name: str) -> str:
    found = command(name)
    assert found is not None
    context = click.Context(found, info_name=f"runner {name}")
    usage = " ".join([f"runner {name}", *found.collect_usage_pieces(context)])
    rows = [row for param in found.params if (row := _row(param, context))]
    table = ["| option | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"## runner {name}", "", _prose(found.help), "", "```text", usage, "```", "", *table])


def _prose(text: str | None) -> str:
    return "\n\n".join(_paragraph(block) for block in (text or "").strip().split("\n\n"))


def _paragraph(block: str) -> str:
    """What click is told to leave as it is (by a backspace in the first line) stays as it is here, too."""
    lines = [line.strip() for line in block.splitlines()]
    return "\n".join(["```text", *lines[1:], "```"] if lines[0] == "\b" else lines)


def _row(param: click.Parameter, context: click.Context) -> str | None:
    record = param.get_help_record(context)
    if record is None or isinstance(param, click.Argument):
        return None
    names, words = record
    return f"| `{names.replace('|', chr(92) + '|')}` | {words.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    print(page(), end="")
