"""Stages: names, kinds, and arguments that go together."""

from collections.abc import Iterator
from typing import Any, Final

from runner.document.draft import KINDS, Draft, StageDraft
from runner.document.suggest import quoted
from runner.document.tree import Path, at
from runner.errors import Diagnostic

IN_ROLLBACK: Final = frozenset({"apply", "scale", "wait"})


def one_kind(draft: Draft) -> Iterator[Diagnostic]:
    """A stage that does nothing; two kinds are told by the schema."""
    for stage in (*draft.stages, *draft.rollback):
        said = at(draft.tree, stage.path, {})
        if not any(key for key in said if key != "name" and not key.startswith("x-")):
            message = f'stage "{stage.name}" does nothing, expected one of {quoted(KINDS)}'
            yield draft.say("RUN110", message, stage.path, hint="a stage has a name and one kind")


def unique_names(draft: Draft) -> Iterator[Diagnostic]:
    """Two stages of one name: people and the state file could not tell them apart."""
    seen: dict[str, StageDraft] = {}
    for stage in (*draft.stages, *draft.rollback):
        first = seen.setdefault(stage.name, stage)
        if first is not stage:
            line = draft.document.location((*first.path, "name")).line
            message = f'the stage name "{stage.name}" is taken by line {line}'
            yield draft.say("RUN401", message, (*stage.path, "name"), hint="give every stage its own name")


def weights_add_up(draft: Draft) -> Iterator[Diagnostic]:
    """Istio takes any weights as proportions, so nobody downstream would notice 80/30."""
    for path, weights in _weights(draft):
        values = list(weights.values())
        if draft.sound(path) and sum(values) != 100:
            message = f"weights must add up to 100, these make {sum(values)}"
            yield draft.say("RUN402", message, path, hint=_filled_up(weights, sum(values)))


def _weights(draft: Draft) -> Iterator[tuple[Path, dict[str, Any]]]:
    for stage in draft.stages:
        if stage.kind == "shift" and isinstance(stage.body.get("weights"), dict):
            yield (*stage.body_path, "weights"), stage.body["weights"]
    for check in draft.written:
        split = check.body.get("split")
        if isinstance(split, dict) and isinstance(split.get("expect"), dict):
            yield (*check.path, "split", "expect"), split["expect"]


def _filled_up(weights: dict[str, int], total: int) -> str | None:
    """The one number to change, where the largest weight can take the difference."""
    largest = max(weights, key=lambda name: weights[name])
    fitting = weights[largest] + 100 - total
    return f"for example {largest}: {fitting}" if 0 <= fitting <= 100 else None


def either(draft: Draft) -> Iterator[Diagnostic]:
    """Arguments of which one is needed and none is the default."""
    needed = {"shift": ("canary", "weights"), "scale": ("replicas", "like")}
    for stage in (*draft.stages, *draft.rollback):
        keys = needed.get(stage.kind or "", ())
        if keys and stage.sound and not any(key in stage.body for key in keys):
            message = f'{stage.kind} of stage "{stage.name}" needs "{keys[0]}" or "{keys[1]}"'
            yield draft.say("RUN112", message, stage.body_path, on_key=True)


def rollback_kinds(draft: Draft) -> Iterator[Diagnostic]:
    """After a rollback the traffic is where it belongs, and nobody may be there to answer."""
    for stage in draft.rollback:
        if stage.kind is not None and stage.kind not in IN_ROLLBACK:
            message = f'"{stage.kind}" has no place in a rollback, expected one of {quoted(IN_ROLLBACK)}'
            hint = "routes go back to their safe split before these stages begin"
            yield draft.say("RUN403", message, (*stage.path, stage.kind), on_key=True, hint=hint)


def credentials(draft: Draft) -> Iterator[Diagnostic]:
    """A playbook is read by everyone who reads the repository."""
    target = draft.tree.get("target")
    url = target.get("prometheus") if isinstance(target, dict) else None
    if isinstance(url, str) and "@" in url.partition("://")[2].partition("/")[0]:
        hint = "name a source of the operator's config: prometheus: prod"
        yield draft.say("RUN404", "a URL here must not hold credentials", ("target", "prometheus"), hint=hint)


RULES: Final = (
    one_kind,
    unique_names,
    weights_add_up,
    either,
    rollback_kinds,
    credentials,
)
