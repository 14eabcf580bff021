"""A plan for a terminal and for a pull request."""

from collections.abc import Iterator

from runner.engine.timeline import timeline, total
from runner.model.playbook import OnFailure
from runner.model.stages import KubeObject, Promote, Shift, Stage
from runner.reports import forecast as forecasts
from runner.reports.escape import escape_lines
from runner.reports.figures import duration, plural
from runner.reports.tables import Table, markdown, markdown_items, markdown_table, plain_table
from runner.reports.terminal import Terminal, cells, fill
from runner.reports.wording import does, moved, one_line, weights
from runner.review.fields import Field
from runner.review.plan import Load, Plan
from runner.review.plan_document import totals
from runner.review.walk import Did, Problem, Seen, Written

SIGNS = {Did.CREATED: "+", Did.CHANGED: "~"}
QUIET = (Did.SAME, Did.LEFT, Did.REFUSED)
NEXT_LINE = "\n"
MOST_NAME, MOST_VALUE, MOST_FIELDS, LABEL = 40, 100, 12, 12


def render_text(plan: Plan, terminal: Terminal, *, play: str) -> str:
    """For a terminal; *play* is the command that plays it."""
    lines = [
        f"{_title(plan)}  (read-only: nothing was changed)",
        "",
        *_where(plan),
        "",
        *_stages(plan),
        "",
    ]
    for table in _tables(plan):
        lines += plain_table(_clean(table))
    lines += [forecasts.ends(plan.forecast), ""]
    assumed = [f"assumed: {one_line(text)}" for text in plan.assumptions]
    lines += [*assumed, ""] if assumed else []
    lines += _verdict(plan, play)
    return "".join(terminal.spell(line).rstrip() + "\n" for line in lines)


def render_markdown(plan: Plan, *, play: str) -> str:
    """For a pull request: one sentence that stays true when the rest is folded, then the rest."""
    mark = "✅" if not plan.code else "❌"
    sentence, *hints = _verdict(plan, play)
    lines = [f"### {mark} Plan: {markdown(_title(plan))}", "", markdown(sentence), ""]
    lines += [*markdown_items(hints), ""] if plan.code else []
    lines += [*markdown_items(" ".join(line.split()) for line in _where(plan)), ""]
    lines += ["<details><summary>Stages</summary>", "", "```text"]
    lines += [*(_fenced(line) for line in _stages(plan)), "```", "", "</details>", ""]
    for table in _tables(plan):
        lines += markdown_table(table)
    lines += [markdown(forecasts.ends(plan.forecast)), ""]
    if plan.assumptions:
        lines += ["<details><summary>Assumed</summary>", "", *markdown_items(plan.assumptions)]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _fenced(line: str) -> str:
    """A line that cannot end the fence around it."""
    return line.rstrip().replace("```", "'''")


def _title(plan: Plan) -> str:
    place = "sandbox" if plan.target.get("sandbox") else str(plan.target.get("context", ""))
    name = one_line(f"{plan.playbook.name} {plan.playbook.version}".strip())
    return f"{name} → {one_line(place)} / {one_line(plan.playbook.target.namespace)}"


def _clean(table: Table) -> Table:
    return Table(table.title, table.head, tuple(tuple(one_line(text) for text in row) for row in table.rows))


def _tables(plan: Plan) -> tuple[Table, ...]:
    made = (forecasts.gates(plan.forecast), forecasts.exposures(plan.forecast))
    return tuple(table for table in made if table.rows)


def _where(plan: Plan) -> Iterator[str]:
    for key in ("context", "server", "user", "prometheus"):
        if plan.target.get(key):
            yield _labelled(key, one_line(str(plan.target[key])))
    for load in plan.loads:
        route, met = plan.playbook.route(load.route), plan.met[load.route]
        now = f"at {weights(met.split)}" if met.split is not None else "without weights yet"
        aim = f"stable {one_line(route.stable)}, canary {one_line(route.canary)}"
        yield _labelled("live", f"{one_line(route.name)} {now}   ({aim})")
        if met.unfinished is not None:
            yield _labelled("", f"run {one_line(met.unfinished)} moved it there, and is not finished")
        yield _labelled("traffic", _load(load))


def _load(load: Load) -> str:
    said = f"{one_line(load.route)} {load.rate:.3g}/s"
    if load.measured:
        return f"{said}, measured over the last minutes"
    return f"{said}, assumed" + (f": {one_line(load.why)}" if load.why else "")


def _stages(plan: Plan) -> Iterator[str]:
    """One row a stage, with what it writes below; what stays as it is is only counted."""
    spans = timeline(plan.playbook)
    rows = [("", "stage", "best", "worst", "does")]
    for number, (stage, span) in enumerate(zip(plan.playbook.stages, spans, strict=True), start=1):
        name = Terminal().clip(one_line(stage.name), MOST_NAME)
        rows.append((str(number), name, _time(span.best), _time(span.worst), does(stage)))
    whole = total(spans)
    rows.append(("", "all of it", _time(whole.best), _time(whole.worst), ""))
    wide = [max(cells(row[n]) for row in rows) for n in range(4)]
    below = ([], *(list(_below(plan, stage)) for stage in plan.playbook.stages), [])
    for row, lines in zip(rows, below, strict=True):
        first, name, best, worst, what = row
        columns = (
            f"{first:>{wide[0]}}",
            fill(name, wide[1]),
            f"{best:>{wide[2]}}",
            f"{worst:>{wide[3]}}",
            what,
        )
        yield f"  {'  '.join(columns)}".rstrip()
        yield from (f"  {'':>{wide[0]}}    {line}" for line in lines)


def _time(seconds: float) -> str:
    return duration(seconds) if seconds else "-"


def _below(plan: Plan, stage: Stage) -> Iterator[str]:
    seen = plan.of(stage)
    if not seen.reached:
        yield "not reached"
    if seen.skipped:
        yield f"skipped: {one_line(seen.skipped)}"
    yield from (f"{one_line(move.route)}: {moved(move.before, move.after)}" for move in seen.moves)
    if not isinstance(stage.kind, Shift | Promote):
        yield from _objects(seen)
    yield from (f"now it would wait: {one_line(reason)}" for reason in seen.waits)
    for problem in plan.problems:
        if problem.stage == stage.name:
            yield f"✖ {one_line(problem.message.partition(NEXT_LINE)[0]).rstrip(':')}"
    again = sum(written.again for written in seen.written)
    if again:
        yield f"✖ {plural(again, 'more object')} refused for a cause that is told already"


def _objects(seen: Seen) -> Iterator[str]:
    for written in seen.written:
        if written.did not in QUIET:
            yield f"{SIGNS[written.did]} {one_line(str(written.ref))}{_about(written)}"
            yield from (f"    {line}" for line in _fields(written.fields))
    same = sum(written.did is Did.SAME for written in seen.written)
    left = sum(written.did is Did.LEFT for written in seen.written)
    if same:
        yield f"= {plural(same, 'object')} as wanted already"
    if left:
        yield f"= {plural(left, 'object')} there already, left as {'it is' if left == 1 else 'they are'}"


def _about(written: Written) -> str:
    parts = [*(_workload(written.after) if written.did is Did.CREATED and written.after else ())]
    if written.note:
        parts.append(f"forced {one_line(written.note)}")
    if written.unchecked:
        parts.append("not checked: what it needs is not in the cluster yet")
    return f"  ({'; '.join(parts)})" if parts else ""


def _workload(found: KubeObject) -> Iterator[str]:
    """Replicas and images of what runs pods."""
    spec = found.get("spec") or {}
    if "replicas" in spec:
        yield plural(int(spec["replicas"]), "replica")
    pod = (spec.get("template") or {}).get("spec") or {}
    yield from (one_line(str(each["image"])) for each in pod.get("containers") or () if "image" in each)


def _fields(fields: tuple[Field, ...]) -> Iterator[str]:
    shown = fields if len(fields) <= MOST_FIELDS else fields[: MOST_FIELDS - 1]
    for field in shown:
        path, before, after = one_line(field.path), _value(field.before), _value(field.after)
        if before is None:
            yield f"+ {path}: {after}"
        elif after is None:
            yield f"- {path}: {before}"
        else:
            yield f"{path}: {before} → {after}"
    if len(shown) < len(fields):
        yield f"and {len(fields) - len(shown)} more fields: -o json shows them"


def _value(value: str | None) -> str | None:
    return None if value is None else Terminal().clip(one_line(value), MOST_VALUE)


def _verdict(plan: Plan, play: str) -> list[str]:
    """The line that everything comes down to, and what to do next."""
    if plan.code:
        return [f"Plan: the run would stop (exit {int(plan.code)})", *_obstacles(plan)]
    counts = totals(plan)
    words = [
        f"{counts[did.value]} to {word}"
        for did, word in ((Did.CREATED, "create"), (Did.CHANGED, "change"))
        if counts[did.value]
    ]
    words.append(plural(counts["shifts"], "change") + " of a split")
    words.append("then hold" if plan.playbook.on_failure is OnFailure.HOLD else "rollback on failure")
    return [f"Plan: {', '.join(words)}.", f"Next: {one_line(play)}"]


def _obstacles(plan: Plan) -> Iterator[str]:
    for problem in plan.problems:
        yield from _obstacle(problem)
    if plan.missing:
        yield "the run, or its rollback, would need what is not allowed:"
        yield from (f"  {one_line(str(each))}" for each in plan.missing)


def _obstacle(problem: Problem) -> Iterator[str]:
    """Lines stay lines: a hint may hold a snippet to paste."""
    first, *more = escape_lines(problem.message).split("\n")
    yield f"in stage {one_line(problem.stage)!r}: {first}"
    yield from (f"  {line}" for line in more)
    if problem.hint:
        first, *more = escape_lines(problem.hint).split("\n")
        yield f"  hint: {first}"
        yield from (f"    {line}" for line in more)


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"
