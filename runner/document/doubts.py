"""What a playbook's gates cannot see with the traffic it is said to have: warnings, from the forecast."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from runner.document.load import parse_all
from runner.document.places import read_named
from runner.document.playbook import read_playbook
from runner.document.tree import Document, Path
from runner.engine.forecast import Assumed, Forecast, Gate, forecast
from runner.engine.judged import percent
from runner.engine.timeline import Span
from runner.errors import Diagnostic, InvalidDocumentError, Severity, UsageError
from runner.model.checks import Bounds, Check, Ratio
from runner.model.playbook import Playbook
from runner.model.stages import Promote, Shift, Verify

RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*([smh]))?")
SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
DULL: Final = 5.0  # times its bound: a regression that a gate should see


def rates(texts: Sequence[str]) -> dict[str | None, float]:
    """`50/s` or `ROUTE=50/s` as requests a second, None for every other route. UsageError."""
    found: dict[str | None, float] = {}
    for text in texts:
        route, sign, rate = text.rpartition("=")
        said = RATE.fullmatch(rate.strip())
        if said is None:
            raise UsageError(f"--traffic {text!r} is no rate", hint="write for example 50/s, or ROUTE=50/s")
        found[route if sign else None] = float(said[1]) / SECONDS[said[2]]
    return found


def refuse_unknown_routes(
    files: Sequence[str], traffic: Mapping[str | None, float], root: str | None
) -> None:
    """UsageError for traffic of a route that no document in *files* has, or where none of them is a playbook."""
    trees = [parse_all(read_named(file, root), file)[0].tree for file in files]
    routes = [tree.get("routes") for tree in trees if tree.get("kind") == "Playbook"]
    names = {str(name) for named in routes if isinstance(named, Mapping) for name in named}
    if not routes:
        raise UsageError("--traffic is for playbooks, and there is none here", hint="leave it out")
    for name in traffic:
        if name is not None and name not in names:
            raise UsageError(
                f"--traffic names no route: {name!r}", hint=f"routes are: {', '.join(sorted(names))}"
            )


def doubts(
    file: str,
    traffic: Mapping[str | None, float],
    *,
    variables: Mapping[str, str] | None = None,
    variable_files: Sequence[str] = (),
    root: str | None = None,
) -> tuple[Diagnostic, ...]:
    """The warnings for the playbook *file*; none for one that is wrong, since nobody can say what it does."""
    document, _ = parse_all(read_named(file, root), file)
    try:
        loaded = read_playbook(
            file,
            variables=variables,
            variable_files=variable_files,
            root=root,
            examples=True,
            recorded=True,
        )
    except InvalidDocumentError:
        return ()
    playbook = loaded.playbook
    assumed = Assumed(
        {
            route.name: traffic.get(route.name, traffic.get(None, 0.0))
            for route in playbook.routes
            if route.name in traffic or None in traffic
        }
    )
    return tuple(_doubts(document, playbook, forecast(playbook, assumed)))


def _doubts(document: Document, playbook: Playbook, said: Forecast) -> Iterator[Diagnostic]:
    elapsed = _since_shift(playbook, said.spans)
    for gate in said.gates:
        path, check = _place(playbook, gate)
        if not gate.enough:
            yield _warning(
                document, "RUN617", f'"{gate.check}" in "{gate.stage}" gives no verdict: {gate.note}', path
            )
            continue
        bound = _bound(check)
        if bound and (gate.sees is None or gate.sees > DULL * bound):
            sees = "no" if gate.sees is None else f"only {percent(gate.sees)} and more of"
            message = f'"{gate.check}" in "{gate.stage}" sees {sees} failing requests with 80 % power'
            yield _warning(document, "RUN618", message, path)
        elif bound and not gate.guard and gate.soak is not None and gate.soak > elapsed[gate.stage]:
            message = (
                f'what "{gate.check}" in "{gate.stage}" claims would be shown after {gate.soak:.0f} s of this '
                f"traffic, and is decided after {elapsed[gate.stage]:.0f} s"
            )
            yield _warning(document, "RUN619", message, path)
    for exposure in said.exposures:
        if exposure.expected is None:
            message = f'nothing stops a canary that only fails from "{exposure.stage}" on'
            yield _warning(document, "RUN620", message, ("stages", _number(playbook, exposure.stage)))


def _warning(document: Document, code: str, message: str, path: Path) -> Diagnostic:
    return document.diagnostic(code, message, path, severity=Severity.WARNING)


def _since_shift(playbook: Playbook, spans: Sequence[Span]) -> dict[str, float]:
    """Seconds from the last shift to the end of each stage, at best."""
    found, passed = {}, 0.0
    for stage, span in zip(playbook.stages, spans, strict=True):
        passed = 0.0 if isinstance(stage.kind, Shift | Promote) else passed + span.best
        found[stage.name] = passed
    return found


def _place(playbook: Playbook, gate: Gate) -> tuple[Path, Check]:
    if gate.guard:
        n = next(n for n, guard in enumerate(playbook.guards) if guard.check.name == gate.check)
        return ("guards", n), playbook.guards[n].check
    n = _number(playbook, gate.stage)
    kind = playbook.stages[n].kind
    checks = kind.checks if isinstance(kind, Verify) else ()
    return ("stages", n), next(check for check in checks if check.name == gate.check)


def _number(playbook: Playbook, stage: str) -> int:
    return next(n for n, each in enumerate(playbook.stages) if each.name == stage)


def _bound(check: Check) -> float | None:
    if isinstance(check.measure, Ratio) and isinstance(check.judgement, Bounds):
        return check.judgement.max
    return None
