"""`runner query EXPR`."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from runner.errors import ExitCode, RunnerError, UsageError
from runner.promql import (
    Answer,
    MemoryStorage,
    PromQLError,
    evaluate,
    evaluate_range,
    parse_openmetrics,
    to_api,
)
from runner.promql.errors import DumpError, QuerySyntaxError
from runner.promql.moments import parse_step, parse_time
from runner.promql.openmetrics import MAX_LINE
from runner.reports.errors import tell


def _seconds(
    parse: Callable[[str], float],
) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """Reads an option by *parse*; what cannot be read is wrong usage."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
        try:
            return None if value is None else parse(value)
        except PromQLError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            raise click.BadParameter(message, ctx, param) from error

    return read


_time = _seconds(parse_time)
_step = _seconds(parse_step)


@click.command("query")
@click.argument("expression", metavar="EXPR")
@click.option("--openmetrics", "dump", required=True, metavar="FILE", help="The samples; `-` reads stdin.")
@click.option(
    "--at", metavar="TIME", callback=_time, help="Unix seconds or RFC 3339: evaluate once, at this time."
)
@click.option("--start", metavar="TIME", callback=_time, help="Evaluate from this time on ...")
@click.option("--end", metavar="TIME", callback=_time, help="... to this one ...")
@click.option(
    "--step", metavar="STEP", callback=_step, help="... every so often: seconds, or a duration like 30s."
)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Evaluate EXPR on a dump as Prometheus 3 does, and print what its HTTP API would answer.

    An EXPR that begins with a minus follows `--`.
    """
    _check(given)
    try:
        answer = _answer(given, parse_openmetrics(_lines(given["dump"])))
    except PromQLError as error:
        _print(to_api(error))
        tell(error)
        _point(given["expression"], error)
        ctx.exit(ExitCode.ERROR)
    _print(to_api(answer))


def _check(given: Mapping[str, Any]) -> None:
    """Either one moment, or all of a range."""
    in_range = [given[name] is not None for name in ("start", "end", "step")]
    if (given["at"] is None) == (not any(in_range)) or (any(in_range) and not all(in_range)):
        raise UsageError("give --at, or --start, --end and --step")


def _answer(given: Mapping[str, Any], storage: MemoryStorage) -> Answer:
    if given["at"] is not None:
        return evaluate(given["expression"], storage, given["at"])
    return evaluate_range(given["expression"], storage, given["start"], given["end"], given["step"])


def _lines(name: str) -> Iterator[str]:
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as dump:
            number = 0
            while line := dump.readline(MAX_LINE + 2):
                number += 1
                yield _decoded(line, number)
    except OSError as error:
        raise RunnerError(f"cannot read {name}: {error.strerror or error}") from error


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise DumpError(
            "not UTF-8", line=number, hint="dump text, not a compressed or binary file"
        ) from error


def _print(body: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(body) + "\n")


def _point(expression: str, error: PromQLError) -> None:
    """The expression with a caret below the place, where there is one and it fits a line."""
    if isinstance(error, QuerySyntaxError) and expression.isprintable() and len(expression) <= 200:
        sys.stderr.write(f"  {expression}\n  {' ' * error.offset}^\n")
