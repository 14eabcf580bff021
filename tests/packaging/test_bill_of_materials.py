"""The bill of materials names exactly what a release installs, and keeps CycloneDX's schema."""

import json
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
from packaging.requirements import Requirement
from referencing import Registry, Resource

from runner import __version__
from tests.packaging.test_lock import requirements

ROOT = Path(__file__).resolve().parents[2]
BILL = json.loads((ROOT / "docs/reference/release-runner.cdx.json").read_text())


def named(component: dict[str, Any]) -> str:
    return f"{component['name']}=={component['version']}"


def test_it_names_exactly_what_the_lock_installs() -> None:
    pinned = {f"{one.name}{one.specifier}" for several in requirements("runtime").values() for one in several}

    assert len(BILL["components"]) == len(pinned)
    assert {named(component) for component in BILL["components"]} == pinned
    assert {component["purl"] for component in BILL["components"]} == {
        f"pkg:pypi/{name.replace('==', '@')}" for name in pinned
    }


def test_it_says_what_runner_itself_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    about = BILL["metadata"]["component"]
    names = {component["bom-ref"]: component["name"] for component in BILL["components"]}
    (own,) = [each for each in BILL["dependencies"] if each["ref"] == about["bom-ref"]]

    assert (about["name"], about["version"]) == ("release-runner", __version__)
    assert {names[ref] for ref in own["dependsOn"]} == {
        Requirement(text).name for text in project["dependencies"]
    }


def test_it_keeps_the_schema_of_its_version() -> None:
    folder = resources.files("cyclonedx.schema") / "_res"
    schema, *others = (
        json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in (f"bom-{BILL['specVersion']}", "spdx", "jsf-0.82")
    )
    registry = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in others)
    validator = jsonschema.Draft7Validator(schema, registry=registry)

    assert list(validator.iter_errors(BILL)) == []
    assert list(validator.iter_errors({**BILL, "components": [{"name": "x"}]})) != []


def test_nothing_in_it_differs_from_one_writing_to_the_next() -> None:
    text = json.dumps(BILL)

    assert "serialNumber" not in BILL
    assert not re.search(r"timestamp|urn:uuid|20\d\d-\d\d-\d\dT", text)
