"""What `play` and `plan` share: the playbook that is meant, and how it comes to its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.bootstrap import Place, Reach
from runner.cli import options
from runner.cli.states import reach_of
from runner.document.playbook import Loaded, read_playbook
from runner.errors import UsageError
from runner.journal.codec import plain
from runner.model.scenario import Scenario
from runner.routers.marker import digest_of
from runner.stages.meeting import stable_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about the playbook and its place."""

    file: str
    variables: Mapping[str, str]
    variable_files: tuple[str, ...]
    namespace: str | None
    root: str | None
    allow_secrets: bool
    sandbox: bool
    scenario: str | None
    seed: int
    reach: Reach
    from_here: bool = False


def asked_of(given: Mapping[str, Any]) -> Asked:
    """What the options of a command come to. UsageError without a playbook, or for a `--var` that is none."""
    if given["file"] is None:
        raise UsageError("no playbook is named", hint="name its FILE, or a plan: --plan FILE")
    return Asked(
        file=given["file"],
        variables=options.pairs(given["variables"]),
        variable_files=given["variable_files"],
        namespace=given["namespace"],
        root=given["root"],
        allow_secrets=given["allow_secrets"],
        sandbox=given["sandbox"] or given["scenario"] is not None,
        scenario=given["scenario"],
        seed=given["seed"],
        reach=reach_of(given),
        from_here=given["from_here"],
    )


def scenario_of(asked: Asked) -> Scenario | None:
    """The scenario that is to be played, if one is. InvalidDocumentError."""
    if asked.scenario is None:
        return None
    from runner.document.scenario import read_scenario

    return read_scenario(asked.scenario)


def prepared(asked: Asked, place_of: Callable[[Loaded], Place]) -> tuple[Loaded, Place]:
    """The playbook and its place; a stable subset that is not written is read from the live split first."""
    loaded = _read(asked, {})
    place = place_of(loaded)
    if not loaded.unresolved:
        return loaded, place
    stables = {name: live_stable(place, loaded, name) for name in loaded.unresolved}
    return _read(asked, stables), place


def digest(loaded: Loaded) -> str:
    """Names a playbook with its variables and manifests, as it was rendered."""
    return digest_of([loaded.tree, plain(loaded.manifests)])


def kept(asked: Asked, place: Place) -> dict[str, Any]:
    """*asked* as a plan keeps it: files by their whole path, the context as it was resolved."""
    return {
        "file": _whole(asked.file),
        "variables": dict(asked.variables),
        "variableFiles": [_whole(file) for file in asked.variable_files],
        "namespace": asked.namespace,
        "root": _whole(asked.root) if asked.root is not None else None,
        "allowSecrets": asked.allow_secrets,
        "sandbox": asked.sandbox,
        "scenario": _whole(asked.scenario) if asked.scenario is not None else None,
        "seed": asked.seed,
        "kubeconfig": _whole(asked.reach.kubeconfig) if asked.reach.kubeconfig is not None else None,
        "context": place.target.get("context", asked.reach.context),
        "prometheus": asked.reach.prometheus,
        "fromHere": asked.from_here,
    }


def as_kept(found: Mapping[str, Any], reach: Reach) -> Asked:
    """What a plan kept; *reach* says more where the command line does."""
    return Asked(
        file=found["file"],
        variables=found["variables"],
        variable_files=tuple(found["variableFiles"]),
        namespace=found["namespace"],
        root=found["root"],
        allow_secrets=found["allowSecrets"],
        sandbox=found["sandbox"],
        scenario=found["scenario"],
        seed=found["seed"],
        reach=Reach(
            reach.kubeconfig or found["kubeconfig"],
            reach.context or found["context"],
            reach.prometheus or found["prometheus"],
            found["file"],
        ),
        from_here=found["fromHere"],
    )


def _whole(file: str) -> str:
    return str(Path(file).resolve())


def _read(asked: Asked, stables: dict[str, str]) -> Loaded:
    return read_playbook(
        asked.file,
        variables=asked.variables,
        variable_files=asked.variable_files,
        stables=stables,
        root=asked.root,
        allow_secrets=asked.allow_secrets,
        namespace=asked.namespace,
    )


def live_stable(place: Place, loaded: Loaded, name: str) -> str:
    route = loaded.playbook.route(name)
    stable = stable_of(place.cluster, route)
    if stable is None:
        raise UsageError(
            f"route {name!r} names no stable subset, and no subset of VirtualService"
            f" {route.namespace}/{route.virtual_service} has all the traffic",
            hint=f"write routes: {{{name}: {{stable: NAME}}}}",
        )
    return stable
