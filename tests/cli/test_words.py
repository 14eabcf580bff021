"""What a person reads when a run ends otherwise than hoped: true, and fit to be typed."""

import re
from pathlib import Path

import pytest

from runner.cli.entry import run

BOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: orders}
vars: {tag: {required: true}, soak: 2m, shown: "{{ tag }}!"}
target: {namespace: shop, prometheus: http://p:9090}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
checks:
  errors:
    ratio:
      bad: sum(increase(istio_requests_total{destination_app="orders",destination_canonical_revision="v2",response_code=~"5.."}[1m]))
      of: sum(increase(istio_requests_total{destination_app="orders",destination_canonical_revision="v2"}[1m]))
    max: 0.01
  own: {query: 'sum(rate(orders_failed_total{text="{{ shown }}"}[1m]))', max: 1}
onFailure: hold
stages:
  - {name: a tenth, shift: {route: orders, canary: 10}}
  - {name: soak, wait: "{{ soak }}"}
  - {name: look, verify: {checks: [errors], every: 15s, count: 2}}
  - {name: a fifth, shift: {route: orders, canary: 20}}
"""


@pytest.fixture
def play(tmp_path, monkeypatch, capsys):
    """Plays BOOK, some of its text replaced, in a world with *when*; the exit code and what was said."""
    monkeypatch.chdir(tmp_path)

    def played(when, old="", new="", *options):
        Path("book.yaml").write_text(BOOK.replace(old, new) if old else BOOK, encoding="utf-8")
        scenario = f"apiVersion: runner/v1\nkind: Scenario\nmetadata: {{name: s}}\nwhen: [{when}]\n"
        Path("world.yaml").write_text(scenario, encoding="utf-8")
        arguments = [
            "play",
            "book.yaml",
            "--scenario",
            "world.yaml",
            "--state",
            "run.jsonl",
            "--var",
            "tag=a b",
        ]
        code = run([*arguments, *options])
        return code, capsys.readouterr().out

    return played


BAD = '{at: "stage: a tenth", subset: canary, errors: 30%}'


def test_a_stage_that_was_held_is_what_a_resume_goes_on_with(play):
    code, said = play(BAD)

    assert code == 5
    assert re.search(r"runner resume run\.jsonl +goes on with look\n", said)


def test_the_line_for_playing_again_has_everything_that_was_said(play):
    code, said = play(BAD, "onFailure: hold", "onFailure: rollback", "--var", "soak=3m")

    assert code == 3
    assert "runner play book.yaml --scenario world.yaml --var 'tag=a b' --var soak=3m   a new run" in said


def test_a_split_that_somebody_changed_is_told_line_by_line(play):
    code, said = play(
        '{at: "stage: soak", edit: {weights: {v1: 50, v2: 50}}}', "errors]", "errors], failureLimit: 1"
    )

    assert code == 7
    assert "\n    recorded  v1 90 / v2 10\n    live      v1 50 / v2 50\n" in said
    assert "runner resume run.jsonl --accept-drift " in said
    assert said.splitlines()[-1].startswith("10 % of orders was put on v2 and nobody is watching it")


def test_a_subset_that_nobody_declares_is_no_verdict(play):
    code, said = play("{at: start, edit: {delete: DestinationRule/orders}}")

    assert code == 1
    assert (
        "not ready within 2m: no DestinationRule of orders.shop.svc.cluster.local defines subset 'v1'" in said
    )
    assert "kubectl apply -n shop -f FILE" in said


def test_subsets_that_only_a_shift_names_are_assumed(play):
    code, said = play("", "{route: orders, canary: 20}", "{route: orders, weights: {v1: 70, v2: 20, v4: 10}}")

    assert code == 0
    assert "assumed: DestinationRule orders defines v1, v2, v4" in said


def test_a_metric_that_nothing_gives_is_said_before_the_run(play):
    code, said = play("", "[errors]", "[errors, own]")

    assert code == 5
    warned = "warning: own asks for orders_failed_total, which nothing here gives; a --scenario with given: series: can"
    assert warned in said
    assert said.index(warned) < said.index("run ")
    assert "no evidence for 5m: no series" in said


def test_a_playbook_that_became_unreadable_is_a_disagreement_with_a_digest(play, capsys):
    play("", "", "", "--until", "a tenth")
    Path("book.yaml").write_text(BOOK + "surplus: 1\n", encoding="utf-8")

    assert run(["resume", "run.jsonl"]) == 7

    said = capsys.readouterr().err
    assert "cannot be played: runner validate" in said
    (digest,) = re.findall(r"runner resume run\.jsonl --accept-drift ([0-9a-f]{8})\n", said)
    assert run(["resume", "run.jsonl", "--accept-drift", ""]) == 7
    assert run(["resume", "run.jsonl", "--accept-drift", digest]) == 0


MOVED = '{at: "stage: soak", edit: {weights: {v1: 50, v2: 50}}}'
LENIENT = ("errors]", "errors], failureLimit: 1")


def test_a_digest_that_means_nothing_is_refused_with_the_one_that_is_live(play, capsys):
    _, said = play(MOVED, *LENIENT)
    (live, *_) = re.findall(r"--accept-drift ([0-9a-f]+)", said)
    before = Path("run.jsonl").read_bytes()

    assert run(["resume", "run.jsonl", "--accept-drift", "deadbeef"]) == 7

    told = capsys.readouterr().err
    assert "--accept-drift 'deadbeef' is the digest neither of a live split nor of a playbook" in told
    assert f"recorded v1 90 / v2 10, live v1 50 / v2 50, digest {live}\n" in told
    assert f"runner resume run.jsonl --accept-drift {live}\n" in told
    assert Path("run.jsonl").read_bytes() == before
    assert run(["resume", "run.jsonl", "--accept-drift", live[:3]]) == 7
    assert run(["resume", "run.jsonl", "--accept-drift", live]) == 0


def test_the_digest_can_be_pasted_wherever_it_is_said(play, capsys):
    _, said = play(MOVED, *LENIENT)
    run(["status", "run.jsonl"])
    said += capsys.readouterr().out

    behind = re.findall(r"--accept-drift [0-9a-f]+(.)", said, re.DOTALL)
    assert behind
    assert set(behind) <= {" ", "`", "\n"}


def test_a_changed_playbook_and_a_changed_split_are_accepted_together(play, capsys):
    _, said = play(MOVED, *LENIENT)
    (live, *_) = re.findall(r"--accept-drift ([0-9a-f]+)", said)
    Path("book.yaml").write_text(BOOK + "deadline: 2h\n", encoding="utf-8")

    assert run(["resume", "run.jsonl", "--accept-drift", live]) == 7
    (both,) = re.findall(
        r"runner (resume run\.jsonl( --accept-drift [0-9a-f]+){2})\n", capsys.readouterr().err
    )
    assert run(both[0].split()) == 0


@pytest.mark.parametrize(("stage", "why"), [("nowhere", "there is no stage"), ("a tenth", "the run is past")])
def test_a_stage_that_a_resumed_run_cannot_stop_after_is_wrong_usage(play, capsys, stage, why):
    play("", "", "", "--until", "soak")

    assert run(["resume", "run.jsonl", "--until", stage]) == 2
    assert why in capsys.readouterr().err


ARGO = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, annotations: {argocd.argoproj.io/tracking-id: "app:networking.istio.io/VirtualService:shop/orders"}}
spec: {hosts: [orders], http: [{route: [{destination: {host: orders, subset: v1}}]}]}
"""


def test_a_snippet_keeps_its_indentation(play):
    Path("argo.yaml").write_text(ARGO, encoding="utf-8")

    code, said = play("{at: start, edit: {files: [argo.yaml]}}")

    assert code == 1
    assert "\n  spec:\n    ignoreDifferences:\n      - {group: networking.istio.io" in said


def test_a_breach_on_a_promoted_route_names_it(play):
    promoted = """{route: orders, canary: 100}}
  - {name: promote, promote: {route: orders}}
  - {name: watch, wait: 10m}
guards: [{check: errors}]"""

    code, said = play(
        '{at: "stage: watch", subset: canary, errors: 30%}', "{route: orders, canary: 20}}", promoted
    )

    assert code == 5
    assert re.search(r"Paused: guard errors: .* allowed; orders was promoted and stays where it is", said)
    assert "runner rollback run.jsonl   orders to v1 100" in said
