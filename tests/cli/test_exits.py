"""Whatever a run ends with but success, a person reads what is certain, what is not, and the two ways from there."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.cli.entry import run
from runner.journal import JournalFile

BOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: orders}
target: {namespace: shop, prometheus: http://p:9090}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
checks:
  errors:
    ratio:
      bad: sum(increase(istio_requests_total{destination_app="orders",destination_canonical_revision="v2",response_code=~"5.."}[1m]))
      of: sum(increase(istio_requests_total{destination_app="orders",destination_canonical_revision="v2"}[1m]))
    max: 0.01
  served:
    query: sum(irate(istio_requests_total{destination_app="orders"}[1m])) by (destination_canonical_revision)
    split: {route: orders, by: destination_canonical_revision, tolerance: 10}
onFailure: ON_FAILURE
stages:
  - {name: a tenth, shift: {route: orders, canary: 10}}
  - {name: soak, wait: 2m}
  - {name: look, verify: {checks: [CHECK], every: 15s, count: 2}}
  - {name: a fifth, shift: {route: orders, canary: 20}}
"""
BAD = '{at: "stage: a tenth", subset: canary, errors: 30%}'
GONE = '{at: "stage: soak", edit: {delete: VirtualService/orders}}'
LAST_READ = re.compile(
    r"orders was at v1 90 / v2 10 when it was read back at \d\d:\d\d:\d\d, \d.* before the end\n"
)


@dataclass(frozen=True)
class Case:
    """What goes wrong, and the lines that lead on and back."""

    code: int
    when: str
    on: str = "  resume    runner resume run.jsonl "
    back: str = "  go back   runner rollback run.jsonl   orders to v1 100\n"
    check: str = "errors"
    on_failure: str = "hold"
    given: str = "{}"


CASES = {
    "the API server stays away": Case(1, '{at: "stage: soak", after: 1m, for: 1h, api: unavailable}'),
    "nobody declares the subset": Case(
        1, '{at: "stage: look", after: 10s, edit: {delete: DestinationRule/orders}}'
    ),
    "the rollback finds no route": Case(
        4,
        f"{BAD}, {GONE}",
        on="  try again runner rollback run.jsonl\n",
        back="kubectl apply -n shop -f FILE\n",
        on_failure="rollback",
    ),
    "a check fails and nobody wants a rollback": Case(5, BAD),
    "somebody moves the weights": Case(
        7,
        '{at: "stage: soak", edit: {weights: {v1: 50, v2: 50}}}',
        on="  resume    runner resume run.jsonl --accept-drift ",
    ),
    "somebody deletes the route": Case(7, GONE, check="served"),
}


@pytest.fixture
def played(tmp_path, monkeypatch, capsys):
    """Plays BOOK as a case says; the exit code and what was said."""
    monkeypatch.chdir(tmp_path)

    def play(case, *options):
        text = BOOK.replace("ON_FAILURE", case.on_failure).replace("CHECK", case.check)
        Path("book.yaml").write_text(text, encoding="utf-8")
        Path("world.yaml").write_text(
            "apiVersion: runner/v1\nkind: Scenario\nmetadata: {name: s}\n"
            f"given: {case.given}\nwhen: [{case.when}]\n"
        )
        code = run(["play", "book.yaml", "--scenario", "world.yaml", "--state", "run.jsonl", *options])
        said = capsys.readouterr()
        return code, said.out + said.err

    return play


@pytest.mark.parametrize("name", CASES)
def test_an_end_says_what_is_certain_what_is_not_and_both_ways(played, name):
    case = CASES[name]

    code, said = played(case)

    last = said[said.rindex("\n\n") :]
    assert code == case.code, said
    assert LAST_READ.search(last), last
    assert "  unknown   " in last
    assert case.on in last
    assert case.back in last


def test_a_rejection_says_when_traffic_was_read_back_and_how_to_play_again(played):
    code, said = played(Case(3, BAD, on_failure="rollback"))

    assert code == 3
    assert re.search(r"\nUsers are back: orders is at v1 100, read back at \d\d:\d\d:\d\d", said)
    assert (
        "\n  again     runner play book.yaml --scenario world.yaml   a new run; this one is closed\n" in said
    )


def test_a_state_that_another_process_plays_is_told_with_where_it_stands(played, capsys):
    played(Case(5, BAD))
    other, _ = JournalFile.resume(Path("run.jsonl"))
    try:
        codes = [
            run(["resume", "run.jsonl"]),
            run(["play", "book.yaml", "--sandbox", "--state", "run.jsonl"]),
        ]
    finally:
        other.close()

    said = capsys.readouterr().err
    assert codes == [6, 6]
    assert said.count("hint: ") == 2
    assert len(LAST_READ.findall(said)) == 2
    assert said.count("\n  go back   runner rollback run.jsonl   orders to v1 100\n") == 2


HALF_WAY = Case(7, BAD, given="{split: {orders: {v1: 60, v2: 40}}}")


@pytest.mark.parametrize(
    ("case", "options", "word"),
    [
        (Case(2, BAD), ["--until", "no such stage"], "hint: --until takes one of: a tenth, soak,"),
        (Case(1, BAD), ["--log-file", "no/such/folder"], "hint: choose another --log-file"),
        (HALF_WAY, [], "orders is at v1 60 / v2 40 already"),
        (HALF_WAY, [], "`runner play --from-here` (then the safe split is 100 % v1)"),
    ],
)
def test_a_run_that_does_not_begin_says_why_and_leaves_nothing_behind(played, case, options, word):
    code, said = played(case, *options)

    assert code == case.code
    assert word in said
    assert not list(Path().glob("run.jsonl*"))
