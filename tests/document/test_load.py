"""YAML 1.2, strictly: what is read, what is refused, and that nothing ends otherwise than in one of the two."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.document import parse, read
from runner.document.load import MAX_NODES, MAX_SCALAR
from runner.document.scalars import AmbiguousScalarError, NotANumberError, read_as_kubectl, read_core
from runner.document.source import MAX_BYTES
from runner.errors import InvalidDocumentError


def codes_of(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidDocumentError) as caught:
        parse(text, "playbook.yaml")
    return [found.code for found in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("12.", 12.0),
        ("1.5e+3", 1500.0),
        ("5m", "5m"),
        ("v1", "v1"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.1", "10.0.0.1"),
        ("-", "-"),
        ("nobody", "nobody"),
        ("<", "<"),
        ("=~", "=~"),
        ("50%", "50%"),
    ],
)
def test_what_both_versions_agree_on_is_read(text: str, value: Any) -> None:
    assert read_core(text) == value
    assert type(read_core(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "0644",
        "0o14",
        "0b11",
        "08",
        "1_000",
        "1_0.5",
        "80:20",
        "1:30:00",
        "2026-11-22",
        "1e3",
        "1.5e3",
        "+.5",
        "=",
        "<<",
    ],
)
def test_what_they_read_differently_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousScalarError, match=r"YAML 1\.1"):
        read_core(text)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "9007199254740993", "1.0e+999"])
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(NotANumberError):
        read_core(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0644", 420),
        ("0o644", 420),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("-010", -8),
        ("yes", True),
        ("y", True),
        ("off", False),
        ("1e3", 1000),
        ("080", 80),
        ("80:20", "80:20"),
        ("2026-11-22", "2026-11-22"),
        ("1.10", 1.1),
        ("~", None),
        ("", None),
        ("5m", "5m"),
        ("18446744073709551616", 18446744073709551616.0),
    ],
)
def test_manifests_mean_what_kubectl_means(text: str, value: Any) -> None:
    assert read_as_kubectl(text) == value
    assert type(read_as_kubectl(text)) is type(value)


def test_every_value_and_key_knows_its_place() -> None:
    document = parse("a: 1\nstages:\n  - name: first\n    shift: {route: r, canary: 20}\n", "p.yaml")

    value = document.location(("stages", 0, "shift", "canary"))
    key = document.key_location(("stages", 0, "shift", "canary"))
    missing = document.location(("stages", 0, "shift", "weights"))

    assert (value.line, value.column, value.end_column) == (4, 31, 33)
    assert (key.line, key.column, key.end_column) == (4, 23, 29)
    assert (missing.line, missing.column) == (4, 12)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('a: "{{ x }}"', 1, 5),
        ("a:\n  b: >-\n    one\n    two {{ x }} three", 4, 9),
        ("a: |\n  é {{ x }}", 2, 5),
        ("{a: '{{ x }}'}", 1, 6),
    ],
)
def test_a_part_of_a_text_is_found_again(text: str, line: int, column: int) -> None:
    document = parse(text, "p.yaml")
    path = ("a", "b") if "b:" in text else ("a",)

    found = document.text_location(path, "{{ x }}")

    assert (found.line, found.column) == (line, column)


def test_anchors_may_be_used_with_measure() -> None:
    document = parse("x: &times {every: 30s}\na: *times\nb: *times\n", "p.yaml")

    assert document.tree["a"] == document.tree["b"] == {"every": "30s"}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000,
        "{a: " * 200_000,
        "- " * 400_000,
        "? " * 400_000,
        "a: " + "[" * 300 + "]" * 300,
        "\n".join(" " * n + "a:" for n in range(1000)),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: &a [x]\nb: &b [" + "*a," * 90 + "]\nc: [" + "*b," * 90 + "]",
        "[" + "[]," * MAX_NODES + "]",
        "a: " + "x" * (MAX_SCALAR + 1),
        "'" + "a\n" * 100_000,
        '["' + '","' * 100_000,
        "#" * (MAX_BYTES - 1),
        "&a " * 10_000,
        "!" * 10_000,
        "a: " + "9" * 5000,
        "%YAML 1.1\n" * 10_000,
        "- - - - \t- ? : ? :",
        "{{{{{{{{{{",
        "--- |\n" * 1000,
    ],
    ids=lambda text: text[:12].replace("\n", " "),
)
def test_a_bomb_is_one_diagnostic_at_once(text: str) -> None:
    began = time.process_time()

    assert codes_of(text)

    assert time.process_time() - began < 2.0


@given(
    st.text(alphabet=st.sampled_from("ab01 :-[]{}\"'#&*!|>%@`?,\n\t~\\x"), max_size=60) | st.text(max_size=40)
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_document_or_a_diagnostic(text: str) -> None:
    try:
        document = parse(text, "p.yaml")
    except InvalidDocumentError as error:
        assert all(found.location.line >= 1 and found.location.column >= 1 for found in error.diagnostics)
    else:
        assert document.location(()).line >= 1


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_document_or_a_diagnostic(raw: bytes) -> None:
    try:
        parse(raw, "p.yaml")
    except InvalidDocumentError as error:
        assert error.diagnostics


def test_a_byte_order_mark_is_no_character() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", "p.yaml").tree == {"a": 1}


def refusal(path: str | Path) -> str:
    with pytest.raises(InvalidDocumentError) as caught:
        read(path)
    (found,) = caught.value.diagnostics
    return f"{found.code} {found.message}"


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "pipe").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(100 * MAX_BYTES)
    (tmp_path / "program").write_bytes(b"\x7fELF\x02\x01\x01\x00\x00")

    assert refusal(tmp_path / "nothing") == "RUN001 there is no such file"
    assert refusal(tmp_path) == "RUN001 this is a folder"
    assert refusal(tmp_path / "pipe") == "RUN001 this is not a regular file"
    assert refusal("/dev/zero") == "RUN001 this is not a regular file"
    assert refusal("a\0b") == "RUN001 this is not the name of a file"
    assert refusal(tmp_path / "sparse") == "RUN003 the file is larger than 1 MiB"
    assert refusal(tmp_path / "program") == "RUN002 the file is not text: it holds the character U+007F"


def test_the_slow_loader_is_never_taken_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    from runner.document import nodes
    from runner.errors import RunnerError

    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    nodes._parser.cache_clear()
    try:
        with pytest.raises(RunnerError, match="C loader") as caught:
            parse("a: 1", "p.yaml")
    finally:
        nodes._parser.cache_clear()

    assert "wheel" in (caught.value.hint or "")
