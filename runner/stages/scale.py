"""`scale`: the replicas of a Deployment; undone by a rollback once the traffic has left."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from runner.engine.program import Await, Change, ObjectsReady, ProgramStage, SetReplicas
from runner.errors import RunnerError
from runner.foreign import json_of
from runner.model.playbook import Playbook
from runner.model.stages import KubeObject, Scale
from runner.ports import Cluster, ObjectRef, Permission
from runner.stages.needing import to_scale
from runner.stages.ownership import last_editor
from runner.stages.writing import Setting, Write

NAME = "scale"
ANNOTATION = "runner/scaled"
ROLLBACK = "rollback"  # in place of a stage, in the refs of the way back


def compiled(name: str, kind: Scale, playbook: Playbook) -> ProgramStage:
    """One write, then readiness."""
    namespace = playbook.target.namespace
    effect = SetReplicas(kind.deployment, namespace, kind.replicas, kind.like)
    ready = ObjectsReady((("apps/v1", "Deployment", namespace, kind.deployment),))
    return ProgramStage(
        name, NAME, (Change(effect, "Deployment", namespace, kind.deployment), Await(ready, kind.ready))
    )


def needs(kind: Scale, playbook: Playbook) -> tuple[Permission, ...]:
    """To scale its Deployment, and to read the one it is to be like."""
    namespace = playbook.target.namespace
    like = (Permission("get", "apps", "deployments", namespace, kind.like),) if kind.like else ()
    return (*to_scale(namespace, kind.deployment), *like)


def says(kind: Scale, playbook: Playbook) -> str:
    """For a plan."""
    del playbook
    count = f"as many as {kind.like}" if kind.like else f"{kind.replicas}"
    return f"scale {kind.deployment} to {count}"


def prepare(effect: SetReplicas, setting: Setting) -> Write:
    """Reads the Deployment; refuses one that an autoscaler would scale back."""
    target = ObjectRef("apps/v1", "Deployment", effect.namespace, effect.deployment)
    found = setting.cluster.get(target)
    if found is None and effect.spare:
        return Write(target, {"replicas": effect.replicas}, found=None, send=None, result={"gone": True})
    if found is None:
        raise _missing(target, back=setting.ref.stage == ROLLBACK)
    _refuse_autoscaler(setting.cluster, effect)
    wanted = _wanted(effect, setting.cluster)
    before = int(found["spec"].get("replicas", 1))
    if setting.pending is not None and setting.pending.found:
        before = int(setting.pending.found["replicas"])
    changed = _told({**found, "spec": {**found["spec"], "replicas": wanted}}, setting, before)
    already = int(found["spec"].get("replicas", 1)) == wanted
    return Write(
        target=target,
        want={"replicas": wanted},
        found={"replicas": before},
        send=None if already else lambda: _sent(setting.cluster, changed),
        result={"before": before, "replicas": wanted},
        # On the way back it is pods that count, and those are waited for.
        proof=None if setting.ref.stage == ROLLBACK else lambda back: _wrong(back, wanted),
    )


@dataclass(frozen=True, slots=True)
class Scaling:
    """What a Deployment says of the run that scaled it: the stage, and the replicas before the run's first scaling."""

    run: str
    stage: str
    before: int


def scaling_of(found: KubeObject) -> Scaling | None:
    """What *found* says of its scaling; None where it says nothing that can be read, as anybody may write there."""
    text = (found["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        body = json_of(text) if text else None
        told = None if body is None else Scaling(str(body["run"]), str(body["stage"]), int(body["before"]))
    except (ValueError, KeyError, TypeError):
        return None
    return told if told is not None and told.before >= 0 else None


def _told(changed: KubeObject, setting: Setting, now: int) -> KubeObject:
    """*changed* with the note that a lost state can be rebuilt from; who takes a scaling back takes its note along."""
    known, annotations = scaling_of(changed), dict(changed["metadata"].get("annotations") or {})
    annotations.pop(ANNOTATION, None)
    if setting.ref.stage != ROLLBACK:
        before = known.before if known is not None and known.run == setting.run else now
        body = {"run": setting.run, "stage": setting.ref.stage, "before": before}
        annotations[ANNOTATION] = json.dumps(body, separators=(",", ":"))
    return {**changed, "metadata": {**changed["metadata"], "annotations": annotations}}


def _sent(cluster: Cluster, changed: KubeObject) -> dict[str, Any]:
    cluster.replace(changed)
    return {}


def _missing(target: ObjectRef, *, back: bool = False) -> RunnerError:
    hint = "an apply stage before this one creates it; check the name"
    if back:
        hint = "somebody has deleted it: create it again, and give the command again"
    return RunnerError(f"Deployment {target.namespace}/{target.name} does not exist", hint=hint)


def _wanted(effect: SetReplicas, cluster: Cluster) -> int:
    if effect.replicas is not None:
        return effect.replicas
    target = ObjectRef("apps/v1", "Deployment", effect.namespace, str(effect.like))
    like = cluster.get(target)
    if like is None:
        raise _missing(target)
    return int(like["spec"].get("replicas", 1))


def _wrong(back: KubeObject | None, wanted: int) -> str | None:
    if back is None:
        return "it is gone"
    found = int(back["spec"].get("replicas", 1))
    return None if found == wanted else f"it has {found} replicas, not {wanted}, by {last_editor(back)}"


def _refuse_autoscaler(cluster: Cluster, effect: SetReplicas) -> None:
    for scaler in cluster.list("autoscaling/v2", "HorizontalPodAutoscaler", effect.namespace, {}):
        target = scaler.get("spec", {}).get("scaleTargetRef", {})
        if (target.get("kind"), target.get("name")) == ("Deployment", effect.deployment):
            name = scaler["metadata"]["name"]
            patched = f"kubectl -n {shlex.quote(effect.namespace)} patch hpa {shlex.quote(name)}"
            raise RunnerError(
                f"Deployment {effect.namespace}/{effect.deployment} is scaled by HorizontalPodAutoscaler {name}",
                hint=f"set its minReplicas instead: {patched} --type merge"
                ' -p \'{"spec":{"minReplicas":N}}\', and remove this stage',
            )
