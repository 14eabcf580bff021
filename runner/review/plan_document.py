"""A plan as JSON; `schemas/plan.v1.schema.json` describes it. A plan file is the same document."""

import json
from collections.abc import Mapping
from typing import Any

from runner.engine.timeline import Span, timeline, total
from runner.model.split import Split
from runner.model.stages import KubeObject, Promote, Shift, Stage
from runner.ports import ObjectRef
from runner.reports.forecast import forecast_document, rounded
from runner.reports.wording import does
from runner.review.fields import Field, fingerprint
from runner.review.plan import Plan
from runner.review.walk import Did, Written
from runner.secrecy import hide

API_VERSION = "runner/v1"


def render_json(plan: Plan, asked: Mapping[str, Any], digest: str) -> str:
    """The plan as text that ends with a line end."""
    return json.dumps(as_document(plan, asked, digest), indent=2, allow_nan=False) + "\n"


def as_document(plan: Plan, asked: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """The plan as plain JSON. *asked* is how the playbook was read, *digest* names it with its manifests."""
    book = plan.playbook
    spans = timeline(book)
    whole = total(spans)
    return {
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "playbook": {"name": book.name, "version": book.version, "digest": digest},
        "asked": dict(asked),
        "target": dict(plan.target),
        "exitCode": int(plan.code),
        "problems": [
            {"stage": each.stage, "message": each.message, "hint": each.hint, "exitCode": each.code}
            for each in plan.problems
        ],
        "missing": [str(each) for each in plan.missing],
        "routes": [_route(plan, route.name) for route in book.routes],
        "stages": [_stage(plan, stage, span) for stage, span in zip(book.stages, spans, strict=True)],
        "best": rounded(whole.best),
        "worst": rounded(whole.worst),
        "totals": totals(plan),
        "forecast": forecast_document(plan.forecast),
        "assumptions": list(plan.assumptions),
        "looked": [looked(ref, found) for ref, found in plan.looked.items()],
    }


def totals(plan: Plan) -> dict[str, int]:
    """How many objects apply and scale stages create, change and so on; how often a split changes."""
    counts = {did.value: 0 for did in Did}
    for stage in plan.playbook.stages:
        if not isinstance(stage.kind, Shift | Promote):
            for written in plan.of(stage).written:
                counts[written.did.value] += 1
    return {**counts, "shifts": sum(len(seen.moves) for seen in plan.seen.values())}


def looked(ref: ObjectRef, found: KubeObject | None) -> dict[str, Any]:
    """A live object as the plan found it; *digest* is null where there was none."""
    metadata = found["metadata"] if found is not None else {}
    return {
        **_object(ref),
        "uid": metadata.get("uid"),
        "resourceVersion": metadata.get("resourceVersion"),
        "digest": fingerprint(found) if found is not None else None,
    }


def _object(ref: ObjectRef) -> dict[str, str]:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def _route(plan: Plan, name: str) -> dict[str, Any]:
    route, load = plan.playbook.route(name), next(load for load in plan.loads if load.route == name)
    return {
        "route": name,
        "namespace": route.namespace,
        "virtualService": route.virtual_service,
        "stable": route.stable,
        "canary": route.canary,
        "split": _split(plan.met[name].split),
        "unfinished": plan.met[name].unfinished,
        "traffic": {"rate": rounded(load.rate), "measured": load.measured, "why": load.why or None},
    }


def _split(split: Split | None) -> dict[str, int] | None:
    return None if split is None else split.as_dict()


def _stage(plan: Plan, stage: Stage, span: Span) -> dict[str, Any]:
    seen = plan.of(stage)
    return {
        "stage": stage.name,
        "kind": type(stage.kind).__name__.lower(),
        "does": does(stage),
        "reached": seen.reached,
        "skipped": seen.skipped or None,
        "waits": list(seen.waits),
        "best": rounded(span.best),
        "worst": rounded(span.worst),
        "objects": [_written(written) for written in seen.written],
        "splits": [
            {"route": move.route, "from": _split(move.before), "to": _split(move.after)}
            for move in seen.moves
        ],
    }


def _written(written: Written) -> dict[str, Any]:
    return {
        "does": written.did.value,
        "object": _object(written.ref),
        "unchecked": written.unchecked,
        "note": written.note or None,
        "fields": [_field(field) for field in written.fields],
    }


def _field(field: Field) -> dict[str, str | None]:
    before, after = (None if value is None else hide(value) for value in (field.before, field.after))
    return {"path": field.path, "from": before, "to": after}
