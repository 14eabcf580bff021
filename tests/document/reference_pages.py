"""The reference pages that are made from the schema and from the table of diagnostics."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.document import validate
from runner.document.codes import Code, codes
from runner.document.fields import field_named, members
from runner.reports.diagnostics import render_text
from runner.reports.explanation import facts_of, kind_of, shown

AREAS = {
    "0": "Reading YAML",
    "1": "The shape of a document",
    "2": "Templates and variables",
    "3": "Manifests",
    "4": "Stages and routes",
    "5": "Checks and queries",
    "6": "The order of a release",
    "7": "Scenarios",
}
PLAYBOOK_INTRO = """\
# Playbook

A release as ordered stages. Its schema is `schemas/playbook.v1.schema.json` (`runner schema` prints it); the first line of a playbook
tells an editor where to find it:

```text
# yaml-language-server: $schema=../schemas/playbook.v1.schema.json
```

Wherever a value stands a [template](#templates) may stand. Keys that begin with `x-` are yours, and never read. `runner explain
stages.verify.every` shows a field on the terminal. This page is made from the schema.
"""
TEMPLATES = """\
## Templates

A template is a Jinja2 expression in a quoted text: `"orders-{{ tag | replace('.', '-') }}"`. It may use the variables under `vars`
(one of them those above it), `routes.NAME.stable` and `routes.NAME.canary`. A value that is one template takes the type that its field
wants; everything else stays a text. Templates stand in values, never in keys.

There are operators (`+ - * / // %` for numbers, `~` to join texts), comparisons, `if … else …`, items and slices, the tests
`even`, `number`, `odd`, `string`, and these filters: {filters}. Statements, calls and attributes are refused.

In manifests, templates are rendered where the apply stage says `template: true`. There a template alone keeps the type of its variable,
apart from the fields that Kubernetes wants as text (labels, annotations, environment values, arguments, images, names).
"""
DIAGNOSTICS_INTRO = """\
# Diagnostics

Everything that `runner validate` can find, by code. Codes are a promise: none is ever given another meaning. `runner explain RUN402`
shows one on the terminal. What is printed below was printed by `validate`; this page is made from the table that it uses.

Errors exit with 1. Warnings alone exit with 0, with `--strict` 1.
"""


def playbook_page() -> str:
    """docs/reference/playbook.md"""
    from runner.document.expressions import FILTERS

    names = ", ".join(f"`{name}`" for name in sorted(FILTERS))
    parts = [PLAYBOOK_INTRO, _table("playbook", field_named("playbook", ()) or {})]
    parts += _sections(("metadata",), ("vars",), ("target",), ("routes",), ("checks",))
    parts += _sections(
        ("checks", "ratio"), ("checks", "split"), ("checks", "compare"), ("guards",), ("stages",)
    )
    kinds = ("apply", "shift", "wait", "verify", "scale", "approve", "promote")
    parts += _sections(*(("stages", kind) for kind in kinds))
    return "\n".join([*parts, TEMPLATES.replace("{filters}", names)])


def _sections(*paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        field = field_named("playbook", path) or {}
        facts = "".join(f"- {label}: `{text}`\n" for label, text in facts_of(field) if label == "default")
        yield (
            f"## {'.'.join(path)}\n\n{field.get('description', '')}\n{facts}\n{_table('playbook', field)}".rstrip()
            + "\n"
        )


def _table(name: str, field: Mapping[str, Any]) -> str:
    inside = members(name, field)
    if not inside:
        return ""
    required = {*field.get("required", ()), *field.get("items", {}).get("required", ())}
    for inner in (field.get("additionalProperties"), field.get("items")):
        if isinstance(inner, dict) and "$ref" in inner:
            required |= set(_definition(inner["$ref"]).get("required", ()))
    lines = ["| key | is | default | for example | says |", "|---|---|---|---|---|"]
    lines += [_row(key, each, needed=key in required) for key, each in inside.items()]
    return "\n".join(lines) + "\n"


def _definition(reference: str) -> Mapping[str, Any]:
    from runner.document.schema import strict

    found: Mapping[str, Any] = strict("playbook")["definitions"][reference.rpartition("/")[2]]
    return found


def _row(key: str, field: Mapping[str, Any], *, needed: bool) -> str:
    default = f"`{_cell(shown(field['default']))}`" if "default" in field else "required" if needed else ""
    example = next(iter(field.get("examples", [])), None)
    said = f"`{_cell(shown(example))}`" if example is not None else ""
    return f"| `{key}` | {kind_of(field)} | {default} | {said} | {_cell(field.get('description', ''))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def diagnostics_page(whole: Any, folder: Path) -> str:
    """docs/reference/diagnostics.md; *whole* makes playbooks of fragments, *folder* is where they are put."""
    parts = [DIAGNOSTICS_INTRO]
    for digit, area in AREAS.items():
        parts.append(f"## {area}\n")
        parts += [_section(code, whole, folder) for code in codes().values() if code.name[3] == digit]
    return "\n".join(parts)


def _section(code: Code, whole: Any, folder: Path) -> str:
    text = f"### {code.name}\n\n**{code.title[0].upper()}{code.title[1:]}.** {code.why}\n"
    if code.bad:
        text += f"\n{_block(code.bad)}\n{_block(_printed(code, whole, folder))}"
    if code.good:
        text += f"\nRight:\n\n{_block(code.good)}"
    return text


def _printed(code: Code, whole: Any, folder: Path) -> str:
    file = folder / "playbook.yaml"
    file.write_text(whole(code.bad), encoding="utf-8")
    found = next(each for each in validate(file) if each.code == code.name)
    return render_text([found]).replace(str(file), "playbook.yaml").rstrip() + "\n"


def _block(text: str) -> str:
    return f"```text\n{text.strip(chr(10))}\n```\n"
