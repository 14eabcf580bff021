"""Templates: what they can say, that they cannot do harm, and that they always end."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.document import parse
from runner.document.expressions import evaluate
from runner.document.rendering import Rendering, coerce
from runner.document.templates import render
from runner.document.terms import MAX_TEXT, UNKNOWN, TemplateError, UnknownValueError

CONTEXT: dict[str, Any] = {
    "canary": "v3",
    "tag": "1.21.0",
    "count": 3,
    "share": 0.5,
    "on_call": True,
    "long": "x" * 60_000,
    "routes": {"orders": {"stable": "v1", "canary": "v2"}, "my-app": {"stable": "a", "canary": "b"}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ canary }}", "v3"),
        ("{{canary}}", "v3"),
        ("a-{{ canary }}-{{ count }}", "a-v3-3"),
        ("{{ count }}", 3),
        ("{{ count * 2 }}", 6),
        ("{{ share }}", 0.5),
        ("{{ on_call }}", True),
        ("is {{ on_call }}", "is true"),
        ("v{{ tag | replace('.', '-') }}", "v1-21-0"),
        ("{{ (tag | split('.'))[0] }}", "1"),
        ("{{ routes.orders.stable }}", "v1"),
        ("{{ routes['my-app'].stable }}", "a"),
        ("{{ canary ~ '-' ~ count }}", "v3-3"),
        ("{{ 'few' if count < 5 else 'many' }}", "few"),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{' }}", "{{"),
        ('sum(x{version="{{ canary }}"}[{{ count }}m])', 'sum(x{version="v3"}[3m])'),
        ("{{ tag | upper | length }}", 6),
        ("{{ count is odd }}", True),
        ("} {", "} {"),
    ],
)
def test_what_templates_say(text: str, value: Any) -> None:
    assert render(text, CONTEXT) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ canry }}", "RUN202"),
        ("{{ routes.order.stable }}", "RUN202"),
        ("{{ lipsum }}", "RUN202"),
        ("{{ self }}", "RUN202"),
        ("{{ canary ~ loop }}", "RUN202"),
        ("{{ canary", "RUN201"),
        ("{{ }}", "RUN201"),
        ("{{ canary canary }}", "RUN201"),
        ("{{ canary | }}", "RUN201"),
        ("{% set x = 1 %}", "RUN203"),
        ("{# nothing #}", "RUN203"),
        ("{{ canary.upper() }}", "RUN203"),
        ("{{ canary.__class__ }}", "RUN203"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "RUN203"),
        ("{{ canary | attr('__class__') }}", "RUN203"),
        ("{{ canary['__class__'] }}", "RUN204"),
        ("{{ [1] | map('upper') | list }}", "RUN203"),
        ("{{ '%s' | format(canary) }}", "RUN203"),
        ("{{ canary | default('x') }}", "RUN203"),
        ("{{ range(9) }}", "RUN203"),
        ("{{ {'a': 1} }}", "RUN203"),
        ("{{ 2 ** 9 }}", "RUN203"),
        ("{{ canary is callable }}", "RUN203"),
        ("{{ 'a' * 9 }}", "RUN204"),
        ("{{ '%99d' % 1 }}", "RUN204"),
        ("{{ count / 0 }}", "RUN204"),
        ("{{ canary | int }}", "RUN204"),
        ("{{ routes }}", "RUN204"),
        ("{{ [1, 2] }}", "RUN204"),
        ("{{ 1 if count == 4 }}", "RUN204"),
        ("{{ 9007199254740993 * 1.0 }}", "RUN205"),
        ("{{ 9007199254740992 * 2 }}", "RUN204"),
        ("{{ " + "(" * 300 + "1" + ")" * 300 + " }}", "RUN205"),
        ("{{ " + "1 + " * 240 + "1 }}", "RUN205"),
        ("{{ " + "x" * 2000 + " }}", "RUN205"),
        ("{{ long ~ long }}", "RUN205"),
        ("{{ long }}{{ long }}", "RUN205"),
        ("{{ long | replace('x', long) }}", "RUN204"),
        ("{{ [long, long] | join(long) }}", "RUN204"),
    ],
)
def test_what_templates_refuse(text: str, code: str) -> None:
    began = time.process_time()

    with pytest.raises(TemplateError) as caught:
        render(text, CONTEXT)

    assert caught.value.code == code
    assert time.process_time() - began < 1.0


def test_a_variable_without_a_value_is_nobodys_mistake() -> None:
    with pytest.raises(UnknownValueError):
        render("{{ tag }}", {"tag": UNKNOWN})
    with pytest.raises(UnknownValueError):
        render("{{ tag | upper }}", {"tag": UNKNOWN})


NAMES = st.sampled_from(["canary", "tag", "count", "share", "on_call", "routes.orders.stable"])


@given(NAMES, st.text(" ", max_size=2))
def test_a_name_means_the_same_with_and_without_jinja(name: str, space: str) -> None:
    text = "{{" + space + name + space + "}}"

    assert render(text, CONTEXT) == evaluate(name, CONTEXT)


@given(st.text(alphabet="{}%#'\" ab|.()[]~+-*/,0", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_renders_or_is_refused(text: str) -> None:
    try:
        value = render(text, {"a": "x", "b": 2})
    except TemplateError as error:
        assert error.needle == "" or error.needle.split("\n")[0] in text
    else:
        assert isinstance(value, str | int | float)


@pytest.mark.parametrize(
    ("value", "types", "expected"),
    [
        ("20", {"integer"}, 20),
        ("20", {"string"}, "20"),
        (20, {"string"}, "20"),
        (20, {"integer"}, 20),
        (True, {"string"}, "true"),
        ("true", {"boolean"}, True),
        ("0.5", {"number"}, 0.5),
        ("007", {"integer"}, "007"),
        ("x", {"integer"}, "x"),
        (3, {"string", "integer"}, 3),
        ("1.10", set(), "1.10"),
    ],
)
def test_a_template_alone_takes_the_type_that_its_field_wants(
    value: Any, types: set[str], expected: Any
) -> None:
    found = coerce(value, frozenset(types))

    assert found == expected
    assert type(found) is type(expected)


def test_keys_of_ones_own_are_left_alone() -> None:
    document = parse('{x-mine: "{{ nothing }}", a: ["{{ canary }}"]}', "p.yaml")
    rendering = Rendering(document, lambda _: frozenset())

    tree = rendering.tree(document.tree, CONTEXT)

    assert tree == {"x-mine": "{{ nothing }}", "a": ["v3"]}
    assert rendering.found == []


def test_a_document_cannot_ask_for_work_without_end() -> None:
    items = ", ".join(f'"{{{{ count + {n} }}}}"' for n in range(2000))
    document = parse(f"a: [{items}]", "p.yaml")
    rendering = Rendering(document, lambda _: frozenset())

    rendering.tree(document.tree, CONTEXT)

    assert {found.code for found in rendering.found} == {"RUN205"}


def test_all_texts_together_are_bounded() -> None:
    document = parse("a: [" + ", ".join(['"{{ long }}"'] * 500) + "]", "p.yaml")
    rendering = Rendering(document, lambda _: frozenset())

    rendering.tree(document.tree, {"long": "x" * MAX_TEXT})

    assert rendering.size <= 5 * 1024 * 1024
    assert {found.code for found in rendering.found} == {"RUN205"}
