"""The quick yes or no agrees with jsonschema, which explains, and with the compiled check, which takes over."""

import copy
import json
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.document import read
from runner.document.plain import Plain, without_templates
from runner.document.schema import published, strict
from tests.document.test_cases import GOOD

NAMES = ("playbook", "scenario", "config")
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(0, 2)
    | st.sampled_from(["", "5m", "v1", "rollback"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["route", "x-a", "v1"]), inner)
    ),
    max_leaves=4,
)


def paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in *tree*, the root included."""
    found = [path]
    for key, value in (
        tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    ):
        found += paths(value, (*path, key))
    return found


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of *tree* with *value* at *path*."""
    if not path:
        return value
    found = copy.deepcopy(tree)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


RENDERED = without_templates(read(GOOD[0]).tree)
PLACES = paths(RENDERED)
QUICK = Plain(published("playbook"))
EXPLAINING = jsonschema.Draft7Validator(strict("playbook"))
COMPILED = jsonschema_rs.Draft7Validator(strict("playbook"))


@pytest.mark.parametrize("name", NAMES)
def test_every_keyword_of_a_schema_is_known(name: str) -> None:
    checked = Plain(published(name))
    checked.fits({})

    for definition in [published(name), *published(name).get("definitions", {}).values()]:
        checked._fits(definition, {"any": "thing"})


@given(place=st.sampled_from(PLACES), value=JUNK)
@settings(max_examples=300, deadline=None)
def test_all_three_agree(place: tuple[Any, ...], value: Any) -> None:
    tree = changed(RENDERED, place, value)

    fits = QUICK.fits(tree)

    assert fits == EXPLAINING.is_valid(tree)
    assert fits == COMPILED.is_valid(tree)


def test_the_schema_is_draft_07_and_says_something_of_every_field() -> None:
    schema = published("playbook")

    jsonschema.Draft7Validator.check_schema(schema)

    assert "draft-07" in schema["$schema"]
    assert [place for place, field in fields(schema) if not {"title", "description"} <= field.keys()] == []
    assert '"oneOf"' not in json.dumps(schema)


def fields(schema: Any, place: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every named field that is no mere reference."""
    found = []
    for group in ("properties", "definitions", "patternProperties"):
        for key, field in schema.get(group, {}).items():
            if "$ref" not in field:
                found.append((f"{place}/{key}", field))
            found += fields(field, f"{place}/{key}")
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            found += fields(inner, f"{place}/*")
    return found
