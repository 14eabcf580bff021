"""What a person reads before a run touches a cluster: where, what it finds and does, how long it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from runner.engine.timeline import timeline, total
from runner.model.playbook import OnFailure, Playbook
from runner.model.split import Split
from runner.reports.figures import duration
from runner.reports.terminal import Terminal, Tone, cells, fill
from runner.reports.wording import does, one_line, weights

MOST_NAME, LABEL = 40, 12


def confirmation(
    playbook: Playbook, target: Mapping[str, Any], found: Mapping[str, Split | None], terminal: Terminal
) -> list[str]:
    """The page before the question; *target* has context, server and namespace, *found* the live splits."""
    name = one_line(f"{playbook.name} {playbook.version}")
    rows = [terminal.paint(name, Tone.STRONG), *_where(target), *_found(playbook, found), ""]
    return [terminal.spell(row) for row in (*rows, *_stages(playbook, terminal), "", *_rules(playbook))]


def _where(target: Mapping[str, Any]) -> list[str]:
    """Context, server and namespace, as they were resolved."""
    named = [(key, target.get(key)) for key in ("context", "server", "user", "namespace", "prometheus")]
    return [_labelled(key, one_line(str(value))) for key, value in named if value]


def _found(playbook: Playbook, found: Mapping[str, Split | None]) -> list[str]:
    rows = []
    for route in playbook.routes:
        split = found.get(route.name)
        now = weights(split) if split is not None else "no weights yet: a stage has to apply the route"
        aim = f"stable {one_line(route.stable)}, canary {one_line(route.canary)}"
        rows.append(_labelled("found", f"{one_line(route.name)} at {now}   ({aim})"))
    return rows


def _stages(playbook: Playbook, terminal: Terminal) -> list[str]:
    """One row a stage: its best and worst duration, and what it does, last since it may be long."""
    spans = timeline(playbook)
    rows = [("", "stage", "best", "worst", "does")]
    for number, (stage, span) in enumerate(zip(playbook.stages, spans, strict=True), start=1):
        name = terminal.clip(one_line(stage.name), MOST_NAME)
        rows.append((str(number), name, _time(span.best), _time(span.worst), terminal.spell(does(stage))))
    whole = total(spans)
    rows.append(("", "all of it", _time(whole.best), _time(whole.worst), ""))
    wide = [max(cells(row[n]) for row in rows) for n in range(4)]
    return [_row(row, wide) for row in rows]


def _row(row: tuple[str, str, str, str, str], wide: Sequence[int]) -> str:
    number, name, best, worst, what = row
    columns = (f"{number:>{wide[0]}}", fill(name, wide[1]), f"{best:>{wide[2]}}", f"{worst:>{wide[3]}}", what)
    return f"  {'  '.join(columns)}".rstrip()


def _time(seconds: float) -> str:
    return duration(seconds) if seconds else "-"


def _rules(playbook: Playbook) -> list[str]:
    """What happens when it goes wrong, and what watches in the meantime."""
    back = "rollback: traffic goes back by itself" if playbook.on_failure is OnFailure.ROLLBACK else "hold"
    guards = ", ".join(one_line(guard.check.name) for guard in playbook.guards) or "none"
    return [_labelled("on failure", back), _labelled("guards", guards)]


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"
