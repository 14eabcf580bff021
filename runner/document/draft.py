"""A rendered playbook as rules see it: every part with its path, and whether the schema left it whole."""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from runner.document.durations import FORM, seconds
from runner.document.tree import Document, Path
from runner.errors import Diagnostic, Severity

KINDS: Final = ("apply", "shift", "wait", "verify", "scale", "approve", "promote")
BOUNDS: Final = ("max", "min", "between")
MEASURES: Final = ("query", "ratio", "compare")
JUDGEMENTS: Final = (*BOUNDS, "split", "compare")
USE_KEYS: Final = frozenset({"check", "name", "route", "every", "failureLimit", "patience", "onInconclusive"})
PLACEHOLDER: Final = "stable"
"""Stands for the stable subset of a route whose live split nobody has read."""


class Part(NamedTuple):
    """A mapping somewhere in the playbook; *sound* is whether the schema found nothing wrong in it."""

    path: Path
    name: str
    body: Mapping[str, Any]
    sound: bool = True


class StageDraft(NamedTuple):
    """A stage; *body* is what stands under its one kind. *kind* is None where there is not exactly one."""

    path: Path
    name: str
    body: Mapping[str, Any]
    sound: bool = True
    kind: str | None = None
    duration: str | None = None

    def seconds(self, key: str, default: str) -> float:
        """The duration under *key*, in seconds; *default* where there is none that can be read."""
        text = self.body.get(key, default)
        return seconds(text if isinstance(text, str) and FORM.fullmatch(text) else default)

    @property
    def body_path(self) -> Path:
        """Where the kind's own arguments stand."""
        return (*self.path, self.kind) if self.kind else self.path


class CheckDraft(NamedTuple):
    """A check where it is declared or used; *body* has the bound that counts there.

    *declared* is its name under `checks`, where it has one.
    """

    path: Path
    name: str
    body: Mapping[str, Any]
    sound: bool = True
    declared: str | None = None

    @property
    def measure(self) -> str | None:
        """Which of query, ratio and compare it has."""
        return next((key for key in MEASURES if key in self.body), None)

    @property
    def queries(self) -> Iterator[tuple[Path, str]]:
        """Every query with its path below the check's own path."""
        for key in ("query",):
            if isinstance(self.body.get(key), str):
                yield (key,), self.body[key]
        yield from _counts(("ratio",), self.body.get("ratio"))
        compare = self.body.get("compare")
        if isinstance(compare, dict):
            for side in ("canary", "stable"):
                yield from _counts(("compare", side), compare.get(side))


def _counts(path: Path, ratio: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(ratio, dict):
        yield from (((*path, key), ratio[key]) for key in ("bad", "of") if isinstance(ratio.get(key), str))


class Use(NamedTuple):
    """A check in a verify stage or a guard: *path* is its item in the list, *route* what a guard names."""

    path: Path
    check: CheckDraft | None
    asked: str | None
    route: str | None = None


class Draft:
    """The whole playbook; about the paths *wrong* the schema, or a template, had something to say.

    *manifests* are the objects of the apply stages, by index of the stage.
    """

    def __init__(
        self,
        document: Document,
        tree: Mapping[str, Any],
        wrong: Collection[Path] = (),
    ) -> None:
        self.document = document
        self.tree = tree
        self.wrong = wrong
        self.manifests: dict[int, list[dict[str, Any]]] = {}

    def sound(self, path: Path) -> bool:
        """Whether nothing at or below *path* is wrong."""
        return path not in self._unsound

    @cached_property
    def _unsound(self) -> frozenset[Path]:
        """The wrong paths, and all that they lie in."""
        return frozenset(bad[:length] for bad in self.wrong for length in range(len(bad) + 1))

    @cached_property
    def routes(self) -> dict[str, Part]:
        """Routes by name."""
        return {part.name: part for part in self._parts("routes")}

    @cached_property
    def checks(self) -> dict[str, CheckDraft]:
        """Declared checks by name."""
        return {
            part.name: CheckDraft(part.path, part.name, part.body, part.sound, part.name)
            for part in self._parts("checks")
        }

    @cached_property
    def stages(self) -> tuple[StageDraft, ...]:
        """Stages in order, those that are mappings."""
        return tuple(self._stages("stages"))

    @cached_property
    def whole(self) -> bool:
        """Whether every stage could be read, so that what no stage does can be told."""
        return all(stage.kind is not None and stage.sound for stage in (*self.stages, *self.rollback))

    @cached_property
    def rollback(self) -> tuple[StageDraft, ...]:
        """The stages of `rollback:` in order."""
        return tuple(self._stages("rollback"))

    @cached_property
    def guards(self) -> tuple[Part, ...]:
        """Guards in order."""
        found = self.tree.get("guards")
        guards = enumerate(found) if isinstance(found, list) else ()
        return tuple(
            self._part(("guards", index), f"guard {index + 1}", body)
            for index, body in guards
            if isinstance(body, dict)
        )

    def uses(self, stage: StageDraft) -> list[Use]:
        """The checks of a verify stage."""
        items = stage.body.get("checks")
        listed = enumerate(items) if isinstance(items, list) else ()
        return [self.use((*stage.body_path, "checks", index), item) for index, item in listed]

    def guard_use(self, guard: Part) -> Use:
        """The check of a guard."""
        return self.use(guard.path, guard.body)

    def use(self, path: Path, item: Any) -> Use:
        """What one item of a verify stage, or a guard, asks."""
        body = {"check": item} if isinstance(item, str) else self._pruned(path, item)
        asked, route = body.get("check"), body.get("route")
        route = route if isinstance(route, str) else None
        own = {key: value for key, value in body.items() if key not in USE_KEYS}
        if not isinstance(asked, str):
            check = CheckDraft(path, str(body.get("name", "check")), own, self.sound(path)) if own else None
            return Use(path, check, None, route)
        declared = self.checks.get(asked)
        if declared is None:
            return Use(path, None, asked, route)
        whole = {**declared.body, **own}
        return Use(path, CheckDraft(declared.path, asked, whole, declared.sound, asked), asked, route)

    @cached_property
    def every_use(self) -> tuple[Use, ...]:
        """The checks of all verify stages and guards."""
        stages = [stage for stage in (*self.stages, *self.rollback) if stage.kind == "verify"]
        return (
            *(use for stage in stages for use in self.uses(stage)),
            *(self.guard_use(guard) for guard in self.guards),
        )

    @cached_property
    def written(self) -> tuple[CheckDraft, ...]:
        """Checks where they are written: declared ones, then those written in place."""
        placed = (use.check for use in self.every_use if use.check is not None and use.check.declared is None)
        return (*self.checks.values(), *placed)

    def say(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        on_key: bool = False,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        """A diagnostic at *path*."""
        return self.document.diagnostic(code, message, path, on_key=on_key, hint=hint, severity=severity)

    def warn(
        self, code: str, message: str, path: Path, *, on_key: bool = False, hint: str | None = None
    ) -> Diagnostic:
        """A warning at *path*."""
        return self.say(code, message, path, on_key=on_key, hint=hint, severity=Severity.WARNING)

    def _parts(self, top: str) -> Iterator[Part]:
        found = self.tree.get(top)
        for name, body in found.items() if isinstance(found, dict) else ():
            if isinstance(body, dict) and not name.startswith("x-"):
                yield self._part((top, name), name, body)

    def _part(self, path: Path, name: str, body: Mapping[str, Any]) -> Part:
        return Part(path, name, self._pruned(path, body), self.sound(path))

    def _pruned(self, path: Path, body: Any) -> Mapping[str, Any]:
        """*body* without the values that are wrong, so that rules need not ask what they are."""
        if not isinstance(body, dict):
            return {}
        if self.sound(path):
            return body
        return {key: value for key, value in body.items() if self.sound((*path, key))}

    def _stages(self, top: str) -> Iterator[StageDraft]:
        found = self.tree.get(top)
        for index, said in enumerate(found) if isinstance(found, list) else ():
            if not isinstance(said, dict):
                continue
            path: Path = (top, index)
            kinds = [kind for kind in KINDS if kind in said]
            kind = kinds[0] if len(kinds) == 1 else None
            body = said.get(kind) if kind else None
            name = said.get("name")
            yield StageDraft(
                path,
                name if isinstance(name, str) else f"stage {index + 1}",
                self._pruned((*path, kind), body) if kind else {},
                self.sound(path),
                kind,
                body if isinstance(body, str) else None,
            )
