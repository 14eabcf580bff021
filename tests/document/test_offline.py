"""The commands on documents: what they print, in which form, and how little they need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runner.cli.explain import command as explain
from runner.cli.schema import command as schema
from runner.cli.validate import command as validate
from runner.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
BAD = ROOT / "tests/cases/bad"
HEAVY = """
import sys
from runner.cli.entry import run
code = run(sys.argv[1:])
heavy = {"kubernetes", "structlog", "requests", "aiohttp", "rich", "rich_click"} & set(sys.modules)
print("IMPORTED", sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["validate", "playbooks"], 0),
        (["validate", "-o", "sarif", "tests/cases/bad"], 1),
        (["schema"], 0),
        (["explain", "stages.verify.every"], 0),
    ],
    ids=str,
)
def test_what_needs_no_cluster_imports_nothing_for_one(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-c", HEAVY, *arguments]

    result = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)

    assert result.returncode == code, result.stderr
    assert "IMPORTED []" in result.stderr


def test_a_right_playbook_needs_neither_jinja_nor_an_explanation(tmp_path: Path) -> None:
    program = (
        "import sys; from runner.document import validate; found = validate('playbooks/bookinfo-canary.yaml');"
        "assert not found; heavy = {'jinja2', 'jsonschema', 'jsonschema_rs', 'runner.model.playbook', 'pathlib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    result = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; " + program],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert result.stdout == "[]\n"


def test_no_template_sees_the_environment(playbook_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    playbook_file.write_text(
        playbook_file.read_text() + 'x: "{{ TOKEN }}{{ environ.TOKEN }}{{ os.environ }}"\n'
    )

    result = CliRunner().invoke(validate, [str(playbook_file)])

    assert result.exit_code == 1
    assert "hunter2" not in result.output


@pytest.fixture
def playbook_file(tmp_path: Path, playbook: object) -> Path:
    file = tmp_path / "p.yaml"
    assert callable(playbook)
    file.write_text(playbook(""))
    return file


def invoked(*arguments: str) -> Result:
    return CliRunner().invoke(validate, list(arguments), catch_exceptions=False)


def test_warnings_alone_exit_0_unless_strict() -> None:
    case = str(BAD / "canary-changes-identity.yaml")

    assert invoked(case).exit_code == 0
    assert invoked("--strict", case).exit_code == 1


def test_nothing_wrong_is_0_and_says_so_on_stderr(playbook_file: Path) -> None:
    result = invoked("--strict", str(playbook_file))

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "1 document, nothing wrong\n"


def test_a_folder_is_every_document_of_ours_in_it(tmp_path: Path, playbook_file: Path) -> None:
    text = playbook_file.read_text()
    for name in ("deep/er/a.yml", "b.json", ".hidden/c.yaml", "notes.txt", "d.yaml.orig"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "service.yaml").write_text("apiVersion: v1\nkind: Service\n")
    (tmp_path / "broken.yaml").write_text("apiVersion: runner/v1\nkind: [\n")
    (tmp_path / "empty").mkdir()

    files = json.loads(invoked("-o", "json", str(tmp_path)).stdout)["files"]

    assert [Path(file).name for file in files] == ["b.json", "broken.yaml", "a.yml", "p.yaml"]
    with pytest.raises(UsageError, match="holds no document"):
        invoked(str(tmp_path / "empty"))


def test_scenarios_and_configs_are_validated_too(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("apiVersion: runner/v1\nkind: Scenario\nmetadata: {name: s}\nwen: []\n")
    (tmp_path / "c.yaml").write_text("apiVersion: runner/v1\nkind: Config\nprometheus: 3\n")

    found = json.loads(invoked("-o", "json", str(tmp_path)).stdout)["diagnostics"]

    assert {(Path(each["file"]).name, each["code"]) for each in found} == {
        ("c.yaml", "RUN105"),
        ("s.yaml", "RUN103"),
    }


def test_json_holds_everything() -> None:
    result = invoked("-o", "json", str(BAD / "weights-make-110.yaml"))

    said = json.loads(result.stdout)
    first = next(each for each in said["diagnostics"] if each["code"] == "RUN402")
    assert first["severity"] == "error"
    assert (first["line"], first["column"], first["endColumn"]) == (11, 7, 14)
    assert first["message"] == "weights must add up to 100, these make 110"
    assert result.exit_code == 1


def test_github_gets_one_command_a_line_that_cannot_be_broken_out_of() -> None:
    lines = invoked("-o", "github", str(BAD / "what-a-terminal-would-obey.yaml")).stdout.splitlines()

    assert len(lines) == 2
    assert all(line.startswith("::error file=") for line in lines)
    assert ",line=7,col=5," in lines[0]
    assert "\x1b" not in "".join(lines)


def test_sarif_names_rules_places_and_fingerprints() -> None:
    said = json.loads(invoked("-o", "sarif", str(BAD / "everything-at-once.yaml")).stdout)

    (run,) = said["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert said["version"] == "2.1.0"
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert all(result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in run["results"])
    prints = [result["partialFingerprints"]["runner/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_gitlab_gets_a_list_of_issues() -> None:
    issues = json.loads(invoked("-o", "gitlab", str(BAD / "everything-at-once.yaml")).stdout)

    assert {issue["severity"] for issue in issues} == {"major", "minor"}
    assert all({"description", "check_name", "fingerprint", "location"} <= issue.keys() for issue in issues)


def test_explain_and_schema_say_what_there_is_instead() -> None:
    with pytest.raises(UsageError) as code:
        CliRunner().invoke(explain, ["RUN999"], catch_exceptions=False)
    with pytest.raises(UsageError) as field:
        CliRunner().invoke(explain, ["stages.verfy"], catch_exceptions=False)
    with pytest.raises(UsageError) as other:
        CliRunner().invoke(explain, ["stages.sleep"], catch_exceptions=False)
    assert other.value.hint == 'did you mean "wait"?'
    with pytest.raises(UsageError) as kind:
        CliRunner().invoke(schema, ["playbok"], catch_exceptions=False)

    assert [error.value.hint for error in (field, kind)] == [
        'did you mean "verify"?',
        'did you mean "playbook"?',
    ]
    assert "RUN" in str(code.value.hint)


@pytest.mark.parametrize("kind", ["playbook", "Scenario", "config", "state", "plan", "rehearsal"])
def test_schema_prints_json(kind: str) -> None:
    result = CliRunner().invoke(schema, [kind])

    assert json.loads(result.stdout)["$schema"] == "http://json-schema.org/draft-07/schema#"
