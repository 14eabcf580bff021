"""`runner explain CODE|PATH`."""

import click

from runner.errors import UsageError

KINDS = ("playbook", "scenario", "config")


@click.command("explain")
@click.argument("what", metavar="CODE|PATH")
def command(*, what: str) -> None:
    """Explain a diagnostic's code, such as RUN402, or a field, such as stages.verify.every.

    Fields are those of a playbook; scenario.when.errors and config.prometheus name the others'.
    """
    click.echo(
        _code(what.upper()) if what[:3].upper() == "RUN" and what[3:].isdecimal() else _field(what), nl=False
    )


def _code(name: str) -> str:
    from runner.document.codes import codes
    from runner.document.suggest import did_you_mean
    from runner.reports.explanation import explain_code

    found = codes().get(name)
    if found is None:
        hint = did_you_mean(name, codes()) or "docs/reference/diagnostics.md lists every code"
        raise UsageError(f"there is no diagnostic {name}", hint=hint)
    return explain_code(found.name, found.title, found.why, found.bad, found.good)


def _field(path: str) -> str:
    from runner.document.fields import field_named, members
    from runner.reports.explanation import explain_field

    names = tuple(part for part in path.replace("[", ".").replace("]", "").split(".") if part)
    schema = names[0].lower() if names and names[0].lower() in KINDS else "playbook"
    names = names[1:] if names and names[0].lower() == schema else names
    found = field_named(schema, names)
    if found is None:
        raise _unknown(schema, names)
    return explain_field(".".join(names) or schema, found, members(schema, found))


def _unknown(schema: str, names: tuple[str, ...]) -> UsageError:
    """The error that says how far *names* lead, and where from there."""
    from runner.document.fields import field_named, members
    from runner.document.suggest import did_you_mean, did_you_mean_stage, quoted

    known = next(end for end in range(len(names) - 1, -1, -1) if field_named(schema, names[:end]) is not None)
    here = field_named(schema, names[:known]) or {}
    inside = members(schema, here)
    place = ".".join(names[:known]) or schema
    suggest = did_you_mean_stage if place in ("stages", "rollback") else did_you_mean
    hint = suggest(names[known], inside) or (f"it has {quoted(inside)}" if inside else None)
    return UsageError(f'{place} has no field "{names[known]}"', hint=hint)
