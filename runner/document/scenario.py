"""A scenario: from its file to the model, or every diagnostic at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from runner.document.discretion import discreet
from runner.document.durations import FORM, seconds
from runner.document.kubernetes_yaml import objects, parse_manifests, shape
from runner.document.load import parse_all
from runner.document.places import PlaceError, Repository, read_named, repository
from runner.document.schema import check_schema
from runner.document.suggest import did_you_mean
from runner.document.tree import Document, Path, at, in_file_order
from runner.errors import Diagnostic, InvalidDocumentError
from runner.model.scenario import (
    FAULT_KEYS,
    ISTIO_METRICS,
    LABEL_VALUES,
    SCRAPE,
    SECONDS_BUCKETS,
    ApiFault,
    ApiTrouble,
    Counts,
    DeleteObject,
    Edit,
    Errors,
    Expectation,
    Fault,
    Given,
    Gone,
    Load,
    MergeObject,
    MetricsFault,
    MetricsTrouble,
    NotReady,
    NotReadyBecause,
    PutObjects,
    Scenario,
    SeriesRule,
    SetWeights,
    Slowness,
    TrafficChange,
    When,
)
from runner.model.split import WHOLE, Split, split_of
from runner.model.stages import Manifest

Tree = Mapping[str, Any]

UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
SLOWER: Final = re.compile(r"(?:x([0-9.]+))?(?:\+(.+))?")
PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
SHORTEST_SCRAPE: Final = 1.0
CHANGES: Final = ("weights", "merge", "delete", "files")


def read_scenario(path: str | FilePath) -> Scenario:
    """The scenario in the file *path*. Its files lie inside its repository.

    InvalidDocumentError with every diagnostic.
    """
    document, found = parse_all(read_named(str(path), None), str(path))
    scenario, more = scenario_of(document, repository(str(path), None))
    if scenario is None or found:
        raise InvalidDocumentError(in_file_order((*found, *more), document.file))
    return scenario


def scenario_of(document: Document, place: Repository) -> tuple[Scenario | None, tuple[Diagnostic, ...]]:
    """The scenario that *document* is, or None, and everything that is wrong with it."""
    wrong = check_schema(document, "scenario")
    rules = () if wrong else tuple(_rules(document))
    if wrong or rules:
        return None, (*wrong, *rules)
    files = _Files(document, place)
    scenario = _scenario(document.tree, files)
    return (None if files.found else scenario), tuple(files.found)


def _rules(document: Document) -> Iterator[Diagnostic]:
    """What the schema cannot say."""
    tree = document.tree
    for index, event in enumerate(tree.get("when", ())):
        path: Path = ("when", index)
        if not any(key in event for key in FAULT_KEYS):
            hint = f"write one of {', '.join(FAULT_KEYS)}"
            yield document.diagnostic("RUN701", "nothing goes wrong in this entry", path, hint=hint)
        edit = event.get("edit")
        if edit is not None and not any(key in edit for key in CHANGES):
            hint = f"write one of {', '.join(CHANGES)}"
            yield document.diagnostic("RUN701", "this edit changes nothing", (*path, "edit"), hint=hint)
        elif edit is not None and "merge" in edit and "object" not in edit:
            hint = "for example object: VirtualService/reviews"
            yield document.diagnostic("RUN702", "merge into which object?", (*path, "edit"), hint=hint)
    for path in _splits(tree):
        total = sum(at(tree, path).values())
        if total != WHOLE:
            message = f"the weights add up to {total}, a split adds up to {WHOLE}"
            yield document.diagnostic("RUN703", message, path)
    yield from _series_rules(document)
    scrape = at(tree, ("given", "scrape"))
    if scrape is not None and seconds(scrape) < SHORTEST_SCRAPE:
        path = ("given", "scrape")
        yield document.diagnostic("RUN705", "Prometheus scrapes once a second at most here", path)


def _splits(tree: Tree) -> Iterator[Path]:
    for path in (("given", "split"), ("expect", "splits")):
        yield from ((*path, name) for name in at(tree, path, {}))


def _series_rules(document: Document) -> Iterator[Diagnostic]:
    made: dict[str, list[str | None]] = {name: [None] for name in ISTIO_METRICS}
    for index, rule in enumerate(at(document.tree, ("given", "series"), ())):
        path: Path = ("given", "series", index)
        bounds = rule.get("buckets", [])
        if sorted(set(bounds)) != bounds:
            yield document.diagnostic("RUN704", "the bounds of buckets must grow", (*path, "buckets"))
        for name in _produced(rule):
            routes = made.setdefault(name, [])
            if any(None in (route, rule.get("route")) or route == rule.get("route") for route in routes):
                hint = "give it another name, or a route of its own"
                message = f"{name} is produced already"
                yield document.diagnostic("RUN706", message, (*path, "metric"), hint=hint)
            routes.append(rule.get("route"))
        yield from _placeholders(document, (*path, "labels"), rule.get("labels", {}))


def _produced(rule: Tree) -> tuple[str, ...]:
    if rule["from"] != "duration":
        return (rule["metric"],)
    return tuple(f"{rule['metric']}_{part}" for part in ("bucket", "sum", "count"))


def _placeholders(document: Document, path: Path, labels: Tree) -> Iterator[Diagnostic]:
    for label, value in labels.items():
        for name in PLACEHOLDER.findall(value):
            if name not in LABEL_VALUES:
                hint = did_you_mean(name, LABEL_VALUES) or f"it may hold {', '.join(LABEL_VALUES)}"
                message = f"a label cannot hold {{{name}}}"
                yield document.diagnostic("RUN707", message, (*path, label), hint=hint)


@dataclass(slots=True)
class _Files:
    """Manifests that a scenario names; *found* grows with what is wrong with them."""

    document: Document
    place: Repository
    found: list[Diagnostic] = field(default_factory=list)

    def read(self, patterns: Sequence[str], path: Path) -> tuple[Manifest, ...]:
        """Every object of the files that *patterns*, standing at *path*, mean."""
        read: list[Manifest] = []
        for index, pattern in enumerate(patterns):
            try:
                for file in self.place.find(pattern):
                    read += self._file(file)
            except PlaceError as error:
                where = (*path, index)
                self.found.append(self.document.diagnostic(error.code, error.message, where, hint=error.hint))
            except InvalidDocumentError as error:
                self.found += error.diagnostics
        return tuple(read)

    def _file(self, file: str) -> Iterator[Manifest]:
        folder = self.document.file.rpartition("/")[0]
        shown = f"{folder}/{file}" if folder else file
        raw = self.place.read(file)
        try:
            documents = parse_manifests(raw, shown)
        except InvalidDocumentError as error:
            self.found += discreet(error.diagnostics, raw.decode("utf-8", "replace"), file)
            return
        for document in documents:
            for path, body in objects(document):
                wrong = tuple(shape(document, path, body))
                self.found += discreet(wrong, document.text, file)
                if not wrong:
                    yield Manifest(file, body)


def _scenario(tree: Tree, files: _Files) -> Scenario:
    metadata = tree["metadata"]
    return Scenario(
        name=metadata["name"],
        description=metadata.get("description", ""),
        given=_given(tree.get("given", {}), files),
        when=tuple(_when(event, ("when", index), files) for index, event in enumerate(tree.get("when", ()))),
        expect=_expectation(tree["expect"]) if "expect" in tree else None,
    )


def _given(tree: Tree, files: _Files) -> Given:
    return Given(
        files=files.read(tree.get("files", ()), ("given", "files")),
        manager=tree.get("manager", "runner"),
        split=tuple((name, split_of(split)) for name, split in tree.get("split", {}).items()),
        traffic=tuple((name, _load(load)) for name, load in tree.get("traffic", {}).items()),
        latency=tuple((name, seconds(text) * 1000) for name, text in tree.get("latency", {}).items()),
        series=tuple(_series(rule) for rule in tree.get("series", ())),
        scrape=seconds(tree["scrape"]) if "scrape" in tree else SCRAPE,
    )


def _load(said: str | Tree) -> Load:
    if isinstance(said, str):
        return Load(_rate(said))
    return Load(
        rate=_rate(said["rate"]),
        path=said.get("path"),
        headers=tuple(sorted(said.get("headers", {}).items())),
        source=said.get("source", Load().source),
    )


def _series(rule: Tree) -> SeriesRule:
    milliseconds = rule.get("unit") == "ms"
    usual = tuple(bound * 1000 for bound in SECONDS_BUCKETS) if milliseconds else SECONDS_BUCKETS
    return SeriesRule(
        metric=rule["metric"],
        counts=Counts(rule["from"]),
        labels=tuple(rule.get("labels", {}).items()),
        route=rule.get("route"),
        milliseconds=milliseconds,
        buckets=tuple(rule.get("buckets", usual)),
    )


def _when(event: Tree, path: Path, files: _Files) -> When:
    moment, after = event["at"], seconds(event.get("after", "0s"))
    stage = None
    if moment.startswith("stage:"):
        stage = moment.removeprefix("stage:").strip()
    elif moment != "start":
        after += seconds(moment)
    return When(
        fault=_fault(event, path, files),
        stage=stage,
        after=after,
        lasting=seconds(event["for"]) if "for" in event else None,
        route=event.get("route"),
        subset=event.get("subset"),
    )


def _fault(event: Tree, path: Path, files: _Files) -> Fault:
    match event:
        case {"api": said}:
            return _api(said)
        case {"prometheus": said}:
            return MetricsFault(MetricsTrouble(said))
        case {"edit": said}:
            return _edit(said, (*path, "edit"), files)
    return _of_canary(event)


def _of_canary(event: Tree) -> Fault:
    match event:
        case {"errors": said}:
            return _errors(said)
        case {"latency": said}:
            return _slowness(said)
        case {"traffic": said}:
            return TrafficChange(None, float(said[1:])) if said[0] == "x" else TrafficChange(_rate(said))
        case {"ready": said}:
            late = FORM.fullmatch(said)
            return NotReady(None, seconds(said)) if late else NotReady(NotReadyBecause(said))
    return Gone()


def _slowness(said: str) -> Slowness:
    found = SLOWER.fullmatch(said)
    factor, add = found.groups() if found else (None, None)
    return Slowness(seconds(add) * 1000 if add else 0.0, float(factor or 1))


def _errors(said: str | Tree) -> Errors:
    if isinstance(said, str):
        return Errors(_percent(said))
    return Errors(_percent(said["share"]), said.get("code", Errors(0).code))


def _api(said: str | Tree) -> ApiFault:
    if isinstance(said, str):
        return ApiFault(ApiTrouble(said))
    narrowed = {name: tuple(said.get(name, ())) for name in ("verbs", "kinds")}
    return ApiFault(ApiTrouble(said["fault"]), said.get("call"), **narrowed)


def _edit(said: Tree, path: Path, files: _Files) -> Edit:
    by = said.get("by", "kubectl-edit")
    match said:
        case {"weights": weights}:
            return Edit(SetWeights(tuple(weights.items())), by)
        case {"delete": name}:
            return Edit(DeleteObject(*name.split("/", 1)), by)
        case {"files": names}:
            return Edit(PutObjects(files.read(names, (*path, "files"))), by)
    kind, name = said["object"].split("/", 1)
    return Edit(MergeObject(kind, name, said["merge"]), by)


def _expectation(tree: Tree) -> Expectation:
    splits: dict[str, Split] = {name: split_of(split) for name, split in tree.get("splits", {}).items()}
    return Expectation(
        outcome=tree.get("outcome"),
        exit_code=tree.get("exit"),
        splits=tuple(splits.items()),
        fired_by=tuple(tree["firedBy"]) if "firedBy" in tree else None,
        within=seconds(tree["within"]) if "within" in tree else None,
    )


def _rate(text: str) -> float:
    """Requests a second."""
    number, unit = text.split("/")
    return float(number) / UNITS[unit]


def _percent(text: str) -> float:
    return float(text.removesuffix("%")) / 100
