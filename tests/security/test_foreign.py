"""What others may write (annotations, orders, tokens, answers, state files) is read, or passed over; it ends nothing."""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.expiry import ending_of
from runner.cli.entry import run
from runner.engine.events import RunStarted
from runner.engine.observations import Order, OrderKind
from runner.errors import DisagreementError, LockedError
from runner.foreign import json_of
from runner.journal import JournalFile, OrdersFile, give_order, read
from runner.journal.orders import order_of
from runner.routers.marker import ANNOTATION, marker_of
from runner.sandbox import log
from runner.secrecy import Secret
from runner.stages import scale
from tests.prove import forgery
from tests.prove.rubbish import NESTED
from tests.states.kept_runs import KEPT

MARKER = '{"run":"a","stage":"b","epoch":%s,"safe":{"v1":%s},"digest":""}'
SCALED = '{"run":"a","stage":"b","before":%s}'
ORDER = '{"kind":"abort","by":%s}'


@pytest.mark.parametrize("text", [NESTED, "1e999", "-1e999", "NaN", "Infinity", "9" * 309, "9" * 5_000, "{"])
def test_what_no_value_can_hold_is_no_json(text):
    with pytest.raises(ValueError, match=r"."):
        json_of(text)


def test_numbers_that_a_float_can_hold_are_numbers():
    assert json_of(f'[1.5, -7, {"9" * 308}, "NaN"]') == [1.5, -7, int("9" * 308), "NaN"]


@pytest.mark.parametrize(
    "text", [NESTED, MARKER % ("1e999", 100), MARKER % (1, "1e999"), MARKER % (1, NESTED)]
)
def test_a_marker_that_nobody_can_read_is_none(text):
    assert marker_of({"metadata": {"annotations": {ANNOTATION: text}}}) is None


@pytest.mark.parametrize("text", [NESTED, SCALED % "1e999", SCALED % -4, SCALED % NESTED])
def test_a_note_of_scaling_that_nobody_can_read_is_none(text):
    assert scale.scaling_of({"metadata": {"annotations": {scale.ANNOTATION: text}}}) is None


@pytest.mark.parametrize("text", [NESTED, ORDER % NESTED, ORDER % "1e999"])
def test_an_order_that_nobody_can_read_is_none(text):
    assert order_of(text.encode()) is None


@pytest.mark.parametrize(
    "claims", [NESTED, '{"exp":1e999}', '{"exp":1e300}', '{"exp":-1e300}', f'{{"exp":{"9" * 400}}}']
)
def test_a_token_whose_claims_are_nonsense_says_no_end(claims):
    middle = base64.urlsafe_b64encode(claims.encode()).decode()

    assert ending_of(Secret(f"a.{middle}.c"), "it") is None


def _line(text: str, total: str | None = None) -> str:
    total = total or hashlib.sha256(text.encode()).hexdigest()[:32]
    return f'{text[:-1]},"sum":"{total}"}}\n'


@pytest.mark.parametrize("total", [None, "0" * 32], ids=["its sum fits", "it does not"])
def test_a_line_of_a_state_file_that_is_nested_without_end_is_damage(tmp_path, total):
    state = tmp_path / "run.jsonl"
    state.write_text(_line('{"v":1,"seq":1,"run":"x","event":"run.started","at":' + NESTED + "}", total))

    with pytest.raises(DisagreementError, match="damaged"):
        read(state)


def test_a_world_that_is_nested_without_end_is_damage(tmp_path):
    world = tmp_path / "run.jsonl.world"
    log.begin(world, {}).close()
    world.write_text(world.read_text() + NESTED + "\n")

    with pytest.raises(DisagreementError, match="damaged at line 2"):
        log.read(world)


def _forged(tmp_path: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """A kept run with its world, told as *change* makes it, with numbers and sums that fit."""
    source, state = KEPT / "0.1.0" / "killed-at-a-gate.jsonl", tmp_path / "run.jsonl"
    bodies = [json.loads(line) for line in source.read_text().splitlines()]
    change(bodies)
    for path, content in (
        (state, forgery.chained(bodies)),
        (Path(f"{state}.world"), Path(f"{source}.world").read_bytes()),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
    return state


def _another_route(bodies) -> None:
    stages = bodies[0]["playbook"]["stages"]
    next(stage["shift"] for stage in stages if "shift" in stage)["route"] = "nowhere"


def _a_nameless_manifest(bodies) -> None:
    next(iter(bodies[0]["manifests"].values()))[0]["object"]["metadata"] = {}


def _a_guard_of_no_route(bodies) -> None:
    bodies[0]["playbook"] |= {"guards": [{"check": "errors", "route": "nowhere"}]}


def _no_route_for_a_guard(bodies) -> None:
    bodies[0]["playbook"] |= {"guards": [{"check": "errors"}], "routes": {}}


def _an_endless_bound(bodies) -> None:
    bodies[0]["playbook"]["checks"]["errors"]["max"] = 10**400


FORGERIES = [
    _another_route,
    _a_nameless_manifest,
    _a_guard_of_no_route,
    _no_route_for_a_guard,
    _an_endless_bound,
]


@pytest.mark.parametrize(
    "command", [["audit"], ["resume", "-y"], ["rollback", "-y"]], ids=lambda each: each[0]
)
@pytest.mark.parametrize("change", FORGERIES)
def test_a_recorded_playbook_whose_parts_do_not_fit_is_damage(tmp_path, capsys, change, command):
    code = run([*command, str(_forged(tmp_path, change))])

    assert (code, "a bug of its own" in capsys.readouterr().err) == (7, False)


def test_orders_are_taken_in_a_look_at_a_time(tmp_path):
    state = tmp_path / "run.jsonl"
    orders = OrdersFile(state)
    Path(f"{state}.orders").write_bytes(b"x" * 200_000 + b"\n")
    Path(f"{state}.orders").chmod(0o600)
    os.truncate(f"{state}.orders", 1_000_000)
    with Path(f"{state}.orders").open("ab") as file:
        file.write(b'\n{"kind":"abort","by":"ann"}\n')

    found = [order for _ in range(20) for order in orders.poll()]

    assert found == [Order(OrderKind.ABORT, "ann")]


def test_an_order_counts_though_the_file_of_orders_was_taken_away(tmp_path):
    state = tmp_path / "run.jsonl"
    state.touch()
    give_order(state, Order(OrderKind.PAUSE, "somebody with a long name", "and a long reason"))
    orders = OrdersFile(state)
    Path(f"{state}.orders").unlink()
    assert orders.poll() == ()

    give_order(state, Order(OrderKind.ABORT, "ann"))

    assert orders.poll() == (Order(OrderKind.ABORT, "ann"),)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z"])
def test_a_time_that_no_run_was_played_at_is_damage(tmp_path, at):
    with pytest.raises(DisagreementError, match=r":2: .*damaged"):
        read(_forged(tmp_path, lambda bodies: bodies[1].update(at=at)))


def test_a_story_that_was_never_played_is_not_gone_on_with(tmp_path, capsys):
    def succeeded_already(bodies) -> None:
        bodies.insert(1, {**bodies[1], "event": "stage.succeeded", "stage": "look"})

    state = _forged(tmp_path, succeeded_already)

    assert run(["resume", str(state), "-y"]) == 7
    assert f"{state}:2: the state file contradicts itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", [os.mkfifo, lambda path: Path(path).write_text(NESTED)], ids=["a pipe", "nested"]
)
def test_a_name_of_the_locks_holder_that_nobody_can_read_is_left_out(tmp_path, name):
    state = tmp_path / "run.jsonl"
    held, _ = JournalFile.create(state, "r1", RunStarted(0.0, {}, {}, {}, {}, "digest"))
    Path(f"{state}.holder").unlink()
    name(f"{state}.holder")

    with pytest.raises(LockedError, match=r"is being written by another process$"):
        JournalFile.resume(state)

    held.close()
