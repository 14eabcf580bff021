"""State, plans and logs belong to one user from the moment they exist, and are used only while that holds."""

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner import logs
from runner.engine.events import RunResumed, RunStarted
from runner.engine.observations import Order, OrderKind
from runner.errors import RunnerError
from runner.journal import JournalFile, OrdersFile, give_order, read
from runner.journal.orders import orders_path
from runner.sandbox import log as world_log
from tests.fakes.world import NOON
from tests.security.people import NOBODY, as_nobody, only_root, open_to_all

CANARY = str(Path(__file__).parents[2] / "playbooks" / "bookinfo-canary.yaml")
WATCHED = Path(__file__).with_name("watched.py")
FIRST = RunStarted(NOON, {"metadata": {"name": "x"}}, {}, {}, {}, "digest", by="ann")
ABORT = Order(OrderKind.ABORT, "ann@here")


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "runs" / "r1.jsonl"
    journal, _ = JournalFile.create(path, "r1", FIRST)
    journal.close()
    return path


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*") if each.is_file()}


def watched(folder: Path, *commands: list[str]) -> list[dict[str, Any]]:
    """What `runner` did in *folder*, with a umask that takes nothing away: what is private is so by itself."""
    done = subprocess.run(
        [sys.executable, WATCHED, folder.parent / "report"],
        check=True,
        cwd=folder,
        umask=0,
        input="".join(f"{json.dumps(command)}\n" for command in commands),
        text=True,
    )
    assert done.returncode == 0
    return [json.loads(line) for line in (folder.parent / "report").read_text().splitlines()]


def test_everything_that_a_run_keeps_is_private_from_the_moment_it_exists(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()

    calls = watched(
        folder,
        ["play", CANARY, "--sandbox", "--until", "soak", "--log-file", "run.log"],
        ["plan", CANARY, "--sandbox", "--out", "a.plan"],
    )
    runs = folder / ".runner" / "runs"
    (state,) = runs.glob("*.jsonl")
    give_order(state, ABORT)

    assert [call["code"] for call in calls] == [0, 0]
    assert [call for call in calls if "loose" in call] == []  # nothing was open first, and closed afterwards
    assert set(modes(folder).values()) == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in (runs, runs.parent)} == {0o700}
    assert {each.suffix for each in runs.iterdir()} == {".jsonl", ".world", ".lock", ".orders", ".holder"}


def test_a_log_that_was_there_keeps_the_mode_that_its_owner_gave_it(tmp_path):
    (tmp_path / "log").touch(mode=0o640)

    logs.open_file(tmp_path / "log").close()

    assert modes(tmp_path)["log"] == 0o640


def replaced_by(kind: str, path: Path) -> None:
    """Put something else in the place of the state file."""
    kept = path.with_name("kept")
    path.rename(kept)
    match kind:
        case "link":
            path.symlink_to(kept)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        case "device":
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


KINDS = ["link", "pipe", "folder", "socket", pytest.param("device", marks=only_root)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_file_that_is_something_else_is_not_continued(state, kind):
    replaced_by(kind, state)

    with pytest.raises(RunnerError) as caught:
        JournalFile.resume(state)

    assert str(state) in caught.value.message


@pytest.mark.parametrize("kind", KINDS[1:])
def test_what_is_no_file_is_not_waited_for_when_it_is_read(state, kind):
    replaced_by(kind, state)

    with pytest.raises(RunnerError, match=state.name):
        read(state)


@pytest.mark.parametrize("kind", KINDS)
def test_a_world_that_is_something_else_is_neither_emptied_nor_continued(tmp_path, kind):
    path = tmp_path / "r1.jsonl.world"
    world_log.begin(path, {}).close()
    replaced_by(kind, path)
    kept = path.with_name("kept").read_bytes()

    for use in (lambda: world_log.begin(path, {}), lambda: world_log.read(path)):
        with pytest.raises(RunnerError):
            use()

    assert path.with_name("kept").read_bytes() == kept


def test_a_new_state_file_never_follows_a_link_that_was_laid_out_for_it(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("r1.jsonl", "r1.jsonl.new", "r1.jsonl.holder", "r1.jsonl.lock"):
        folder = tmp_path / f"for-{name}"
        folder.mkdir(mode=0o700)
        (folder / name).symlink_to(victim)

        with contextlib.suppress(RunnerError):
            journal, _ = JournalFile.create(folder / "r1.jsonl", "r1", FIRST)
            journal.append([RunResumed(NOON, "ann")])
            journal.close()

    assert victim.read_text() == "precious"


def test_nothing_is_appended_to_what_somebody_put_in_the_place_of_the_state_file(tmp_path):
    journal, _ = JournalFile.create(tmp_path / "r1.jsonl", "r1", FIRST)
    (tmp_path / "r1.jsonl").rename(tmp_path / "moved")
    (tmp_path / "r1.jsonl").write_text("")

    with pytest.raises(RunnerError, match="is another file by now"):
        journal.append([RunResumed(NOON, "ann")])
    journal.close()

    assert (tmp_path / "r1.jsonl").read_text() == ""
    assert len((tmp_path / "moved").read_text().splitlines()) == 1


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o707, True), (0o1777, False), (0o755, False)])
def test_a_folder_that_others_may_write_to_holds_no_state(tmp_path, mode, refused):
    folder = tmp_path / "runs"
    folder.mkdir()
    folder.chmod(mode)

    if refused:
        with pytest.raises(RunnerError, match="others may write") as caught:
            JournalFile.create(folder / "r1.jsonl", "r1", FIRST)
        assert "chmod go-w" in (caught.value.hint or "")
        assert list(folder.iterdir()) == []
    else:
        JournalFile.create(folder / "r1.jsonl", "r1", FIRST)[0].close()


@only_root
def test_a_group_of_several_is_others_and_the_users_own_is_not(tmp_path):
    for group, refused in ((NOBODY, True), (os.getgid(), False)):
        folder = tmp_path / str(group)
        folder.mkdir()
        os.chown(folder, 0, group)
        folder.chmod(0o775)

        with pytest.raises(RunnerError) if refused else contextlib.nullcontext():
            JournalFile.create(folder / "r1.jsonl", "r1", FIRST)[0].close()


@pytest.mark.parametrize("mode", [0o666, 0o602])
def test_a_state_file_that_others_may_write_is_not_continued(state, mode):
    state.chmod(mode)

    with pytest.raises(RunnerError, match="can be written by others") as caught:
        JournalFile.resume(state)

    assert "chmod go-w" in (caught.value.hint or "")
    assert read(state).run == "r1"


@only_root
def test_a_state_file_of_somebody_else_is_not_continued(state):
    os.chown(state, NOBODY, NOBODY)

    with pytest.raises(RunnerError, match="belongs to somebody else"):
        JournalFile.resume(state)

    os.chown(state, 0, 0)
    JournalFile.resume(state)[0].close()


@only_root
def test_an_order_of_roots_reaches_the_run_of_another_user(tmp_path):
    open_to_all(tmp_path)
    runs = tmp_path / "runs"
    runs.mkdir()
    os.chown(runs, NOBODY, NOBODY)
    path = runs / "r1.jsonl"
    with as_nobody():
        journal, _ = JournalFile.create(path, "r1", FIRST)
        orders = OrdersFile(path)

    give_order(path, ABORT)

    with as_nobody():
        assert list(orders.poll()) == [ABORT]
        journal.close()


@pytest.mark.parametrize("mode", [0o666, None])
def test_an_order_that_anybody_could_have_given_is_none(state, mode):
    orders = OrdersFile(state)
    elsewhere = state.with_name("elsewhere")
    elsewhere.write_text('{"kind": "abort", "by": "mallory", "reason": ""}\n')
    if mode is None:
        orders_path(state).symlink_to(elsewhere)
    else:
        elsewhere.rename(orders_path(state))
        orders_path(state).chmod(mode)

    assert list(orders.poll()) == []


def test_a_refusal_says_nothing_of_what_the_file_holds(state):
    state.write_text("hunter2-SECRET\n")
    state.chmod(0o600)

    for use in (read, JournalFile.resume):
        with pytest.raises(RunnerError) as caught:
            use(state)
        assert "hunter2" not in caught.value.message + str(caught.value.hint)
