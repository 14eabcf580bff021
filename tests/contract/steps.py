"""A contract case: what is done to an object, step by step, and what every implementation answers.

```
promise: one sentence
needs: webhook                     # only where Istio's own validation looks on
steps:
  - do: apply | force | try | create | replace | get | list | delete     (try: a dry run; force: an apply with force)
    as: kubectl                    # another field manager; else runner
    object: {...}                  # without a namespace it goes to the fresh one
    of: 1                          # or: the answer of step 1 (counted from 1) ...
    with: {...}                    # ... merged with this, as a JSON merge patch does
    ref: [apiVersion, kind, name]  # for get, list and delete
    labels: {...}                  # for list
    gives: {...}                   # the answer holds all of this; null: nothing is there
    lists: [names]
    managers: [runner Apply]       # who owns fields, and how it wrote them
    version: same | newer          # the resourceVersion, beside that of the answer `than`
    than: 1
    refuses: {error: ConflictError, says: [...], hint: text, conflicts: [runner Update .spec.http]}
```
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner import errors
from runner.errors import ApplyConflictError, RunnerError
from runner.ports import ObjectRef
from tests.contract.benches import Bench

CASES = Path(__file__).parent / "cases"
CLUSTER_WIDE = ("Namespace", "ClusterRole")
Body = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One promise and the steps that show it."""

    name: str
    promise: str
    steps: tuple[Body, ...]
    needs: str | None = None


def cases(port: str) -> list[Case]:
    """Every case of a port, by file and place."""
    return [
        Case(f"{file.stem}: {body['promise']}", body["promise"], tuple(body["steps"]), body.get("needs"))
        for file in sorted((CASES / port).glob("*.yaml"))
        for body in yaml.load_all(file.read_text(), yaml.CSafeLoader)
    ]


def hold(case: Case, bench: Bench) -> None:
    """Take the steps; AssertionError at the first that answers otherwise than the case says."""
    answers: list[Any] = []
    for number, step in enumerate(case.steps, 1):
        where = f"step {number}: {step['do']}"
        try:
            answer = _do(step, answers, bench)
        except RunnerError as error:
            assert "refuses" in step, f"{where} was refused: {error.message} {error.hint or ''}"
            _check_refusal(where, step["refuses"], error, bench)
            answers.append(None)
            continue
        assert "refuses" not in step, f"{where} was not refused: {answer}"
        _check(where, step, answer, answers)
        answers.append(answer)


def _do(step: Body, answers: list[Any], bench: Bench) -> Any:
    cluster = bench.by(step["as"]) if "as" in step else bench.cluster
    match step["do"]:
        case "get":
            return cluster.get(_ref(step, bench))
        case "list":
            ref = _ref(step, bench)
            return cluster.list(ref.api_version, ref.kind, ref.namespace, step.get("labels", {}))
        case "delete":
            return bench.delete(_ref(step, bench))
        case "create":
            return cluster.create(_object(step, answers, bench))
        case "replace":
            return cluster.replace(_object(step, answers, bench))
        case "apply" | "force" | "try" as verb:
            return cluster.apply(_object(step, answers, bench), force=verb == "force", dry_run=verb == "try")
        case other:
            raise AssertionError(f"no such step: {other}")


def _object(step: Body, answers: list[Any], bench: Bench) -> Body:
    found = answers[step["of"] - 1] if "of" in step else step["object"]
    found = _named(merge_patch(found, step.get("with", {})), bench)
    if found["kind"] in CLUSTER_WIDE:
        return found
    return merge_patch({"metadata": {"namespace": bench.namespace}}, found)


def _named(value: Any, bench: Bench) -> Any:
    """`{namespace}` stands for the fresh namespace."""
    match value:
        case dict():
            return {key: _named(inner, bench) for key, inner in value.items()}
        case list():
            return [_named(inner, bench) for inner in value]
        case str():
            return value.replace("{namespace}", bench.namespace)
        case _:
            return value


def _ref(step: Body, bench: Bench) -> ObjectRef:
    api_version, kind, *name = step["ref"]
    namespace = "" if kind in CLUSTER_WIDE else bench.namespace
    return ObjectRef(
        api_version,
        kind,
        _named(step.get("namespace", namespace), bench),
        _named(name[0], bench) if name else "",
    )


def _check(where: str, step: Body, answer: Any, answers: list[Any]) -> None:
    if "gives" in step:
        _holds(where, answer, step["gives"])
    if "lists" in step:
        assert sorted(item["metadata"]["name"] for item in answer) == sorted(step["lists"]), where
    if "managers" in step:
        found = [f"{entry['manager']} {entry['operation']}" for entry in answer["metadata"]["managedFields"]]
        assert sorted(found) == sorted(step["managers"]), where
    if "version" in step:
        before = answers[step.get("than", len(answers)) - 1]
        same = _version(before) == _version(answer)
        assert same == (step["version"] == "same"), f"{where}: {_version(before)} and {_version(answer)}"


def _version(answer: Body) -> str:
    return str(answer["metadata"]["resourceVersion"])


def _holds(where: str, found: Any, wanted: Any) -> None:
    """*found* holds all of *wanted*; a list holds as many items, a `null` means that the key is not there."""
    match wanted:
        case dict():
            assert isinstance(found, Mapping), f"{where}: {found!r} is not {wanted!r}"
            for key, inner in wanted.items():
                _holds(f"{where} {key}", found.get(key), inner)
        case list():
            assert isinstance(found, list), f"{where}: {found!r} is not {wanted!r}"
            assert len(found) == len(wanted), f"{where}: {found!r} is not {wanted!r}"
            for left, right in zip(found, wanted, strict=True):
                _holds(where, left, right)
        case _:
            assert found == wanted, f"{where}: {found!r} is not {wanted!r}"


def _check_refusal(where: str, wanted: Body, error: RunnerError, bench: Bench) -> None:
    assert type(error) is getattr(errors, wanted["error"]), f"{where}: {error!r}"
    for words in wanted.get("says", ()):
        assert re.search(words, error.message), f"{where}: {words!r} is not in {error.message!r}"
    if "hint" in wanted:
        assert _named(wanted["hint"], bench) in (error.hint or ""), f"{where}: {error.hint!r}"
    if "conflicts" in wanted:
        assert isinstance(error, ApplyConflictError)
        found = {f"{one.manager} {one.operation} {one.field}" for one in error.conflicts}
        assert found == set(wanted["conflicts"]), where


def merge_patch(body: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    body = dict(body) if isinstance(body, dict) else {}
    for key, value in patch.items():
        if value is None:
            body.pop(key, None)
        else:
            body[key] = merge_patch(body.get(key), value)
    return body
