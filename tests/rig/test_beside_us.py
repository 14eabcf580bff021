"""People with kubectl beside a run: what they change is theirs, and never overwritten silently."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

from rig import play, traffic
from rig.cluster import MANIFESTS, Bookinfo
from rig.play import Play, named

RECORDED = {"v1": 80, "v3": 20}
THEIRS = {"v1": 60, "v3": 40}


def test_weights_edited_by_a_person_stop_the_run_where_it_is(installed: Bookinfo, tmp_path: Path) -> None:
    with traffic.Load(installed.reviews_url, rps=60):
        run = _in_soak(installed, tmp_path)
        installed.shift(**THEIRS)
        assert run.finish() == 7, run.said()
        assert installed.weights() == THEIRS
        assert "kubectl-patch" in run.said()
        assert "--accept-drift" in run.said()
        back = play.start(installed, tmp_path, "rollback", str(tmp_path / "run.jsonl"))
        assert back.finish() == 0, back.said()
    assert installed.weights() == {"v1": 100}


def test_edit_accepted_by_its_digest_is_gone_on_from(installed: Bookinfo, tmp_path: Path) -> None:
    with traffic.Load(installed.reviews_url, rps=60):
        run = _in_soak(installed, tmp_path)
        installed.shift(**THEIRS)
        assert run.finish() == 7, run.said()
        digest = run.said().split("--accept-drift ")[1].split()[0]
        on = play.start(installed, tmp_path, "resume", str(tmp_path / "run.jsonl"), "--accept-drift", digest)
        assert on.finish() == 0, on.said()
    assert installed.weights() == {"v3": 100}


def test_first_manifests_applied_again_by_a_person_end_the_release_on_stable(
    installed: Bookinfo, tmp_path: Path
) -> None:
    with traffic.Load(installed.reviews_url, rps=60):
        run = _in_soak(installed, tmp_path)
        installed.kubectl("apply", "-f", str(MANIFESTS / "virtual-services-v1.yaml"))
        applied = installed.weights()
        code = run.finish()
    if applied == {"v1": 100}:
        # Nobody reaches the canary any more: no evidence is no pass, or the next shift sees the foreign weights.
        assert code in {3, 7}, run.said()
        assert installed.weights() == {"v1": 100}
    else:
        assert code == 0, run.said()  # kubectl compared with its own last write and saw nothing to change


def test_edit_of_anything_else_stays_and_the_run_goes_on(installed: Bookinfo, tmp_path: Path) -> None:
    with traffic.Load(installed.reviews_url, rps=60):
        run = _in_soak(installed, tmp_path)
        _patch(installed, [{"op": "add", "path": "/spec/http/0/timeout", "value": "9s"}])
        installed.kubectl("label", "virtualservice", "reviews", "owner=books")
        assert run.finish() == 0, run.said()
    after = installed.virtual_service()
    assert installed.weights() == {"v3": 100}
    assert after["spec"]["http"][0]["timeout"] == "9s"
    assert after["metadata"]["labels"]["owner"] == "books"


def test_person_who_writes_all_the_time_costs_retries_and_nothing_else(
    installed: Bookinfo, tmp_path: Path
) -> None:
    done = threading.Event()
    scribbling = threading.Thread(target=_scribble, args=(installed, done))
    with traffic.Load(installed.reviews_url, rps=60) as load:
        scribbling.start()
        try:
            run = play.of(installed, tmp_path, "interrupted.yaml")
            assert run.finish() == 0, run.said()
        finally:
            done.set()
            scribbling.join()
        assert traffic.failed(load.counts()) == 0
    assert installed.weights() == {"v3": 100}
    assert "scribble" in installed.virtual_service()["metadata"]["annotations"]


def test_deleted_route_stops_the_run_with_the_way_to_bring_it_back(
    installed: Bookinfo, tmp_path: Path
) -> None:
    with traffic.Load(installed.reviews_url, rps=60):
        run = _in_soak(installed, tmp_path)
        installed.kubectl("delete", "virtualservice", "reviews")
        code = run.finish()
    assert code == 7, run.said()
    assert "is gone: somebody has deleted it" in run.said()
    assert "kubectl apply" in run.said()


def test_second_run_on_the_same_route_is_told_who_holds_it(installed: Bookinfo, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with traffic.Load(installed.reviews_url, rps=60):
        run = play.of(installed, tmp_path, "watched.yaml")
        run.wait_for(named("stage.started", stage="soak"))
        second = play.of(installed, other, "watched.yaml")
        assert second.finish(30) == 6, second.said()
        assert run.events[0]["run"] in second.said()
        run.send(signal.SIGTERM)
        assert run.finish() == 143, run.said()
    assert installed.weights() == {"v1": 50, "v3": 50}


def _in_soak(bookinfo: Bookinfo, folder: Path) -> Play:
    run = play.of(bookinfo, folder, "interrupted.yaml")
    run.wait_for(named("stage.started", stage="soak"))
    assert bookinfo.weights() == RECORDED
    return run


def _patch(bookinfo: Bookinfo, operations: list[dict[str, str]]) -> None:
    bookinfo.kubectl("patch", "virtualservice", "reviews", "--type=json", "-p", json.dumps(operations))


def _scribble(bookinfo: Bookinfo, done: threading.Event) -> None:
    number = 0
    while not done.is_set():
        number += 1
        bookinfo.kubectl("annotate", "--overwrite", "virtualservice", "reviews", f"scribble={number}")
