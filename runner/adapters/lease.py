"""The Lease port on the cluster's own Lease objects: one for each VirtualService that a run moves.

A lease alone does not fence (a paused holder may wake up and write); its epoch, kept on the object that
is written, does. The remote ``renewTime`` is never compared with a clock here: what counts is whether it
changed while we watched, as client-go's leader election does it.
"""

import hashlib
import os
import secrets
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.errors import ConflictError, LockedError, RunnerError, UnknownOutcomeError
from runner.model.stages import KubeObject
from runner.ports import Clock, Cluster, ObjectRef

API_VERSION = "coordination.k8s.io/v1"
DURATION = 30.0  # seconds of silence after which a holder counts as dead
FRESH = 10.0  # seconds for which a renewal is good enough to write
SILENT = 60.0  # seconds without a renewal after which whoever only looks calls a holder dead
LOOK = 2.0  # seconds between two looks at somebody else's lease
TRIES = 3  # writes of one renewal that others may get in between


@dataclass(frozen=True, slots=True)
class Target:
    """A VirtualService, by its place."""

    namespace: str
    name: str

    @property
    def lease(self) -> ObjectRef:
        """The Lease that guards it, in the same namespace."""
        digest = hashlib.sha1(f"{self.namespace}/{self.name}".encode(), usedforsecurity=False).hexdigest()
        return ObjectRef(API_VERSION, "Lease", self.namespace, f"runner-{digest[:12]}")


def identity(run: str) -> str:
    """Who holds a lease: the run, where it plays, and a part that no second process can have."""
    return f"{run}@{os.uname().nodename}/{os.getpid()}/{secrets.token_hex(4)}"


def held_by(cluster: Cluster, target: Target) -> str:
    """Who holds the lease of *target*, living or dead; nothing where nobody does."""
    found = cluster.get(target.lease)
    return "" if found is None else _holder(found)


def is_renewed(cluster: Cluster, target: Target, holder: str, now: float) -> bool:
    """Whether one whose name begins with *holder* has the lease of *target*, and renewed it in the last minute.

    For telling people only: it trusts this machine's clock and the holder's to be less than half a minute apart.
    """
    found = cluster.get(target.lease)
    if found is None or not _holder(found).startswith(holder):
        return False
    try:
        return now - datetime.fromisoformat(found["spec"]["renewTime"]).timestamp() < SILENT
    except (KeyError, TypeError, ValueError):
        return True


def break_dead(cluster: Cluster, clock: Clock, target: Target, holder: str) -> None:
    """Free the lease of *target* if one whose name begins with *holder* has it and is silent.

    LockedError where it is renewed within the time in which a living holder renews.
    """
    found = cluster.get(target.lease)
    if found is None or not _holder(found).startswith(holder):
        return
    until = clock.now() + FRESH + LOOK
    while clock.now() < until:
        clock.sleep_until(clock.now() + LOOK)
        now = cluster.get(target.lease)
        if now is None or not _holder(now):
            return  # its holder has ended meanwhile
        if _beat(now) != _beat(found):
            raise _locked(target.lease, now)
    cluster.replace(_with(found, holderIdentity=""))


class ClusterLease:
    """Holds the leases of all targets of a run under one epoch; made by `acquire`."""

    def __init__(self, cluster: Cluster, clock: Clock, holder: str) -> None:
        self._cluster = cluster
        self._clock = clock
        self._holder = holder
        self._held: list[KubeObject] = []
        self._epoch = 0
        self._renewed = float("-inf")

    @property
    def epoch(self) -> int:
        """Greater than that of every holder before."""
        return self._epoch

    def acquire(self, targets: Sequence[Target], *, above: int = 0) -> None:
        """Take the leases of *targets*, with an epoch greater than *above* and all earlier ones.

        Waits out a holder that is silent; LockedError for one that renews while we watch. Nothing where they are
        held already.
        """
        if self._held:
            return
        began = self._clock.now()
        refs = sorted({target.lease for target in targets}, key=str)
        found = [self._free(ref) for ref in refs]
        self._epoch = 1 + max([above, *(_transitions(lease) for lease in found)])
        try:
            for ref, lease in zip(refs, found, strict=True):
                self._held.append(self._take(ref, lease))
        except BaseException:
            self._give_back(refs)
            raise
        self._renewed = began

    def renew(self) -> None:
        """Prove that the leases are still ours, unless that was done in the last seconds."""
        if self._clock.now() - self._renewed < FRESH:
            return
        began = self._clock.now()
        self._held = [self._renew(lease) for lease in self._held]
        self._renewed = began

    def release(self) -> None:
        """Give the leases up; one that another has taken over is left to it, one out of reach runs out by itself."""
        for lease in self._held:
            with suppress(RunnerError):  # a run has ended, and nothing that happens here changes how
                self._cluster.replace(_with(lease, holderIdentity="", renewTime=self._time()))
        self._held = []

    def _give_back(self, refs: Sequence[ObjectRef]) -> None:
        """Also the one whose answer was not waited for: whoever comes next would wait until it has run out."""
        with suppress(RunnerError):
            found = [self._cluster.get(ref) for ref in refs]
            self._held = [lease for lease in found if lease is not None and self._is_ours(lease)]
        self.release()

    def _free(self, ref: ObjectRef) -> KubeObject | None:
        """The lease as it stands when nobody holds it any more; None where there never was one."""
        seen = self._cluster.get(ref)
        quiet_since = self._clock.now()
        while seen is not None and _holder(seen) not in ("", self._holder):
            if self._clock.now() - quiet_since >= DURATION:
                return seen
            self._clock.sleep_until(self._clock.now() + LOOK)
            now = self._cluster.get(ref)
            if now is not None and _beat(now) != _beat(seen) and _holder(now):
                raise _locked(ref, now)
            seen = now
        return seen

    def _take(self, ref: ObjectRef, found: KubeObject | None) -> KubeObject:
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": int(DURATION),
            "acquireTime": self._time(),
            "renewTime": self._time(),
            "leaseTransitions": self._epoch,
        }
        try:
            if found is None:
                return self._cluster.create(_new(ref, spec))
            return self._cluster.replace(_with(found, **spec))
        except (ConflictError, UnknownOutcomeError) as error:
            now = self._cluster.get(ref)
            if now is not None and self._is_ours(now):
                return now
            if now is None or not _holder(now):
                raise
            raise _locked(ref, now) from error

    def _renew(self, lease: KubeObject) -> KubeObject:
        ref = _ref(lease)
        for _ in range(TRIES):
            try:
                return self._cluster.replace(_with(lease, renewTime=self._time()))
            except (ConflictError, UnknownOutcomeError) as error:
                now = self._cluster.get(ref)
                if now is None or not self._is_ours(now):
                    raise _lost(ref, now) from error
                lease = now
        raise _lost(ref, lease)

    def _is_ours(self, lease: KubeObject) -> bool:
        return _holder(lease) == self._holder and _transitions(lease) == self._epoch

    def _time(self) -> str:
        """In the format of Kubernetes' MicroTime; for people only."""
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class LocalLease:
    """The lease of a world that only this process can reach."""

    epoch = 1

    def renew(self) -> None:
        """Nobody else is there."""

    def release(self) -> None:
        """Nobody waits for it."""


def _new(ref: ObjectRef, spec: dict[str, Any]) -> KubeObject:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"namespace": ref.namespace, "name": ref.name},
        "spec": spec,
    }


def _with(lease: KubeObject, **changes: Any) -> KubeObject:
    return {**lease, "spec": {**(lease.get("spec") or {}), **changes}}


def _ref(lease: KubeObject) -> ObjectRef:
    return ObjectRef(API_VERSION, "Lease", lease["metadata"]["namespace"], lease["metadata"]["name"])


def _holder(lease: KubeObject) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _transitions(lease: KubeObject | None) -> int:
    return int(((lease or {}).get("spec") or {}).get("leaseTransitions") or 0)


def _beat(lease: KubeObject) -> tuple[object, ...]:
    """What a living holder changes."""
    spec = lease.get("spec") or {}
    return (spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))


def _locked(ref: ObjectRef, lease: KubeObject) -> LockedError:
    spec = lease["spec"]
    run = shlex.quote(_holder(lease).partition("@")[0])
    return LockedError(
        f"{spec['holderIdentity']} holds the lease {ref.namespace}/{ref.name}"
        f" since {_said(_moment(spec, 'acquireTime'))}, at least until {_said(_until(spec))}",
        hint=f"wait for that run, see where it stands (runner status {run}), or end it (runner abort {run})",
    )


def _lost(ref: ObjectRef, lease: KubeObject | None) -> LockedError:
    if lease is None:
        return LockedError(f"somebody deleted the lease {ref.namespace}/{ref.name} while this run held it")
    who = _holder(lease) or "another run, which has ended since,"
    return LockedError(f"{who} took over the lease {ref.namespace}/{ref.name}; this run no longer writes")


def _until(spec: KubeObject) -> datetime | None:
    renewed, lasts = _moment(spec, "renewTime"), spec.get("leaseDurationSeconds")
    return renewed + timedelta(seconds=lasts) if renewed is not None and isinstance(lasts, int) else None


def _moment(spec: KubeObject, key: str) -> datetime | None:
    """A time that others may have written, in any form."""
    try:
        return datetime.fromisoformat(spec[key]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _said(moment: datetime | None) -> str:
    return "it does not say when" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
