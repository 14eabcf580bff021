"""Every block of every document is true: commands run, documents validate, links lead somewhere."""

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.docs.markdown import DOCUMENTS, ROOT, Block, Command, blocks, commands, matches
from tests.docs.session import Session, open_session
from tests.docs.tree import command, flags

ALL = [block for path in DOCUMENTS for block in blocks(path)]
SHELL = ("sh", "console")


def is_document(block: Block) -> bool:
    """Whether a YAML block is a whole document that `runner` reads."""
    return "apiVersion: runner/v1" in block.text.splitlines()


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("block", ALL, ids=str)
def test_every_block_is_of_a_language_that_a_test_reads_or_is_plain_text(block: Block) -> None:
    assert block.language in {"sh", "console", "yaml", "json", "text", "python", "promql"}


@pytest.mark.parametrize(
    "path", [p for p in DOCUMENTS if any(b.language in SHELL for b in blocks(p))], ids=named
)
def test_commands_of_a_document_end_and_print_as_it_says(path: Path, tmp_path: Path) -> None:
    session = open_session(tmp_path)

    for block in blocks(path):
        if (name := block.marked("file")) is not None:
            session.write(name, block)
        elif block.language in SHELL and block.marked("not run") is None:
            _play(session, block)


def _play(session: Session, block: Block) -> None:
    for one in commands(block):
        code, printed = session.run(one, block.marked("interrupt at"))
        assert code == one.code, f"{block}: {one.line}\n{printed}"
        assert one.output is None or matches(one.output, printed), f"{block}: {one.line}\n{printed}"


@pytest.mark.parametrize(
    "one", [c for b in ALL if b.language in SHELL for c in commands(b)], ids=lambda c: f"{c.block}"
)
def test_every_runner_command_and_flag_in_the_documents_exists(one: Command) -> None:
    words = shlex.split(one.line, comments=True)
    if "runner" not in words:
        return
    name, *rest = words[words.index("runner") + 1 :]
    if name.startswith("-"):
        return

    found = command(name)

    assert found is not None, f"{one.block}: no command {name}"
    unknown = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)} - flags(found)
    assert not unknown, f"{one.block}: {one.line}: unknown {unknown}"


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.language in SHELL and b.marker.startswith("not run")], ids=str
)
def test_a_block_that_is_not_run_says_why(block: Block) -> None:
    assert block.marked("not run")


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "yaml"], ids=str)
def test_yaml_is_a_document_of_ours_or_says_what_it_is(block: Block) -> None:
    list(yaml.safe_load_all(block.text))

    assert is_document(block) or block.marker in {"keys of a playbook", "another tool's"}
    if (name := block.marked("part of")) is not None:
        assert block.text in (ROOT / name).read_text()


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "yaml" and is_document(b)], ids=str)
def test_whole_documents_validate(block: Block, tmp_path: Path) -> None:
    session = open_session(tmp_path)
    session.write("playbooks/shown.yaml", block)

    code, printed = session.run(Command("runner validate playbooks/shown.yaml", 0, None, block))

    assert code == 0, printed


@pytest.mark.parametrize("block", [b for b in ALL if b.marker == "keys of a playbook"], ids=str)
def test_parts_of_playbooks_keep_the_schema(block: Block) -> None:
    schema = json.loads((ROOT / "schemas/playbook.v1.schema.json").read_text())
    least = {"apiVersion": "runner/v1", "kind": "Playbook", "metadata": {"name": "least"}}
    least |= {"target": {"namespace": "shop"}, "stages": [{"name": "wait", "wait": "1m"}]}

    errors = list(jsonschema.Draft7Validator(schema).iter_errors({**least, **yaml.safe_load(block.text)}))

    assert errors == []


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "json"], ids=str)
def test_json_parses(block: Block) -> None:
    for line in block.text.splitlines() if block.text.count("\n{") else [block.text]:
        json.loads(line)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    prose = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)

    broken = [link for link in links if not re.match(r"https?://|mailto:", link) and not _leads(path, link)]

    assert broken == []


def _leads(path: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists():
        return False
    return not heading or heading in _headings(target)


def _headings(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", index.read_text())}

    assert [named(path) for path in DOCUMENTS[1:] if path not in linked | {index}] == []
