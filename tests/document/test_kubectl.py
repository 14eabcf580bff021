"""Manifests mean what kubectl and the API server take them for, or are refused; never something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.kubernetes import as_yaml
from runner.document.kubernetes_yaml import parse_manifests
from runner.errors import InvalidDocumentError
from tests.document.kubectl.cases import HEAD, MERGES, cases, key_cases

LINES = (Path(__file__).parent / "kubectl/recorded.jsonl").read_text().split("\n")[:-1]
RECORDED = {record["case"]: record for record in map(json.loads, LINES)}
NOT_A_NUMBER = {"\n  .nan: v", "\n  .inf: v"}


def read(case: str) -> Any:
    """Our tree for a case. InvalidDocumentError."""
    (document,) = parse_manifests(f"{HEAD}found: {case}\n".encode(), "m.yaml")
    return document.tree


def same(mine: Any, theirs: Any) -> bool:
    """Equal, and of the same kind in JSON; Go's integers have 64 bits, and everything larger is a double."""
    match mine, theirs:
        case dict(), dict():
            return mine.keys() == theirs.keys() and all(same(mine[key], theirs[key]) for key in mine)
        case list(), list():
            return len(mine) == len(theirs) and all(map(same, mine, theirs))
        case float(), int() if not -(2**63) <= theirs < 2**63:
            return mine == float(theirs)
        case _:
            return type(mine) is type(theirs) and mine == theirs


def is_spelt_otherwise(case: str) -> bool:
    """Whether kubectl makes another key of what stands there."""
    return case in key_cases() and RECORDED[case]["kubectl"].get("found") != {
        case.strip().removesuffix(": v").strip("'\""): "v"
    }


def is_overwritten(case: str) -> bool:
    """Whether kubectl lets a merge overwrite what is written out above it."""
    return case in MERGES and ("{x: 3, <<: *a}" in case or "{x: 9, <<: " in case)


def test_every_case_was_asked() -> None:
    assert list(RECORDED) == cases()
    assert len(RECORDED) > 200


def test_the_api_server_reads_yaml_as_kubectl_does() -> None:
    differing = [
        case
        for case, record in RECORDED.items()
        if record["kubectl"] != record["server"] and "refused" not in record["server"]
    ]

    assert differing == []
    assert [case for case, record in RECORDED.items() if "refused" in record["server"]] == [
        case for case, record in RECORDED.items() if "refused" in record["kubectl"]
    ]


@pytest.mark.parametrize("case", RECORDED, ids=repr)
def test_a_manifest_means_what_kubectl_takes_it_for(case: str) -> None:
    theirs = RECORDED[case]["kubectl"]

    if "refused" in theirs or is_spelt_otherwise(case) or is_overwritten(case) or case in NOT_A_NUMBER:
        with pytest.raises(InvalidDocumentError):
            read(case)
    else:
        assert same(read(case)["found"], theirs["found"])


def test_what_is_sent_is_read_by_the_api_server_as_kubectl_reads_the_manifest() -> None:
    sent = {case: record for case, record in RECORDED.items() if "sent" in record}

    assert len(sent) > 150
    for case, record in sent.items():
        assert as_yaml(read(case)).decode() == record["sent"], case
        assert record["served"] == record["kubectl"], case


def test_a_key_that_kubectl_spells_otherwise_is_shown_with_its_place() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read("\n  on: v")

    (found,) = caught.value.diagnostics
    assert (found.code, found.location.line, found.hint) == ("RUN007", 5, 'quote the key: "on"')
