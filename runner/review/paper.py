"""A cluster whose writes happen on paper: read through, changed in memory, never sent but as a dry run."""

from collections.abc import Mapping, Sequence

from runner.errors import ApplyConflictError, ConflictError, RunnerError, TransientError
from runner.model.stages import KubeObject
from runner.ports import Cluster, ObjectRef
from runner.stages.writing import ref_of

Key = tuple[str, str, str, str]


class PaperCluster:
    """The Cluster port on top of a *live* one, of which only reads and dry runs are used.

    *looked* are the live objects that were read, None where there was none. *unchecked* are objects that the
    server could not judge yet, since an object before them, on paper so far, has to be there first.
    """

    def __init__(self, live: Cluster) -> None:
        self._live = live
        self._paper: dict[Key, KubeObject] = {}
        self.looked: dict[ObjectRef, KubeObject | None] = {}
        self.unchecked: set[ObjectRef] = set()

    def get(self, ref: ObjectRef) -> KubeObject | None:
        """The object as it would be by now."""
        written = self._paper.get(_key(ref))
        return written if written is not None else self._read(ref)

    def list(
        self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]
    ) -> Sequence[KubeObject]:
        """The objects as they would be by now."""
        live = {_key(ref_of(found)): found for found in self._live.list(api_version, kind, namespace, labels)}
        for found in live.values():
            if kind != "Pod":  # pods come and go
                self.looked.setdefault(ref_of(found), found)
        asked = _key(ObjectRef(api_version, kind, namespace, ""))
        for key, found in self._paper.items():
            if key[:3] == asked[:3]:
                live.pop(key, None)
                if labels.items() <= (found["metadata"].get("labels") or {}).items():
                    live[key] = found
        return [live[key] for key in sorted(live)]

    def apply(self, manifest: KubeObject, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """What the server would make of *manifest*."""
        ref = ref_of(manifest)
        try:
            made = self._live.apply(manifest, force=force, dry_run=True)
        except (TransientError, ApplyConflictError):
            raise
        except RunnerError:
            if not self._comes_later(manifest):
                raise
            self.unchecked.add(ref)
            made = manifest
        if not dry_run:
            self._paper[_key(ref)] = made
        return made

    def create(self, manifest: KubeObject) -> KubeObject:
        """What the server would make of *manifest*. ConflictError when the object exists by now."""
        if self.get(ref_of(manifest)) is not None:
            raise ConflictError(f"{ref_of(manifest)} exists already")
        return self.apply(manifest)

    def replace(self, changed: KubeObject) -> KubeObject:
        """Believe that it was written: a conditional write of what was just read."""
        self._paper[_key(ref_of(changed))] = changed
        return changed

    def _read(self, ref: ObjectRef) -> KubeObject | None:
        if ref in self.looked:
            return self.looked[ref]
        try:
            found = self._live.get(ref)
        except TransientError:
            raise
        except RunnerError:
            if not self._defined_on_paper(ref):
                raise
            found = None
        self.looked[ref] = found
        return found

    def _comes_later(self, manifest: KubeObject) -> bool:
        """Whether the namespace or the kind of *manifest* is there on paper only."""
        ref = ref_of(manifest)
        namespace = ObjectRef("v1", "Namespace", "", ref.namespace)
        if ref.namespace and _key(namespace) in self._paper and self._read(namespace) is None:
            return True
        return self._defined_on_paper(ref)

    def _defined_on_paper(self, ref: ObjectRef) -> bool:
        for (_, kind, _, _), found in self._paper.items():
            spec = found.get("spec", {})
            if kind == "CustomResourceDefinition" and spec.get("names", {}).get("kind") == ref.kind:
                return bool(spec.get("group") == _key(ref)[0])
        return False


def _key(ref: ObjectRef) -> Key:
    """An object is the same in every version of its API."""
    return ref.api_version.rpartition("/")[0], ref.kind, ref.namespace, ref.name
