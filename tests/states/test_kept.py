"""What any released version has written stays readable, resumable and revocable for ever."""

import json

import pytest

from runner import __version__
from runner.journal.codec import checksum
from tests.states.keep import runs_in
from tests.states.kept_runs import KEPT, answers, called

VERSIONS = sorted(path for path in KEPT.iterdir() if path.is_dir())
RUNS = [
    pytest.param(version / name, id=f"{version.name}/{name}")
    for version in VERSIONS
    for name in runs_in(version)
]
FILES = [path for version in VERSIONS for path in sorted(version.glob("*.jsonl"))]


@pytest.mark.parametrize("kept", RUNS)
def test_a_kept_run_ends_as_the_version_that_wrote_it_ended_it(kept, tmp_path):
    recorded = json.loads((kept.parent / "ends.json").read_text())

    assert answers(kept, tmp_path) == recorded[kept.name]


def test_every_kept_run_is_one_that_its_version_answered_for():
    for version in VERSIONS:
        assert set(json.loads((version / "ends.json").read_text())) == set(runs_in(version))


def test_this_version_has_kept_its_state_files():
    assert __version__ in {version.name for version in VERSIONS}


@pytest.mark.parametrize("command", ["status", "resume", "rollback", "audit", "abort"])
def test_a_state_file_of_a_later_version_is_refused_in_words(command, tmp_path, capfd):
    state = _of_format_two(FILES[0], tmp_path)
    before = state.read_bytes()

    code, said = called(command, str(state), *(("-y",) if command in ("resume", "rollback", "abort") else ()))

    assert code == 7
    assert said == ""
    assert state.read_bytes() == before


def test_a_state_file_of_a_later_version_says_who_can_read_it(tmp_path, capsys):
    from runner.cli.entry import run

    assert run(["status", str(_of_format_two(FILES[0], tmp_path))]) == 7

    said = capsys.readouterr().err
    assert "format 2" in said
    assert "use the runner that wrote it" in said


@pytest.mark.parametrize("command", ["resume", "rollback"])
def test_a_record_of_what_is_no_playbook_is_refused_in_words(command, tmp_path):
    state = _changed(
        FILES[0], tmp_path, lambda body: {**body, "playbook": {"stages": 5}} if "playbook" in body else body
    )

    assert called(command, str(state), "-y")[0] == 7


def test_a_state_file_of_a_later_version_does_not_hide_the_other_runs(tmp_path, monkeypatch):
    folder = tmp_path / ".runner" / "runs"
    folder.mkdir(parents=True)
    _of_format_two(FILES[0], folder)
    (folder / FILES[1].name).write_bytes(FILES[1].read_bytes())
    monkeypatch.chdir(tmp_path)

    code, said = called("runs", "-o", "json")

    assert code == 0
    assert json.loads(FILES[1].read_text().splitlines()[0])["run"] in {
        told["run"] for told in json.loads(said)["runs"]
    }


def _of_format_two(kept, folder):
    """The same run, as a later version might write it."""
    return _changed(kept, folder, lambda body: {**body, "v": 2})


def _changed(kept, folder, change):
    """The same run with other lines, and every sum in order."""
    lines, prev = [], ""
    for line in kept.read_text().splitlines():
        body = {**change(json.loads(line)), "prev": prev}
        del body["sum"]
        text = json.dumps(body, separators=(",", ":"))
        prev = checksum(text)
        lines.append(f'{text[:-1]},"sum":"{prev}"}}\n')
    state = folder / "later.jsonl"
    state.write_text("".join(lines))
    return state
