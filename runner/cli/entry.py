"""From arguments to an exit code: the one place where errors become words and numbers."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from runner.errors import ExitCode, InvalidDocumentError, RunnerError
from runner.reports.streams import guarding

if TYPE_CHECKING:
    import click


class Stopped(KeyboardInterrupt):
    """A signal that asks to end came where nothing listens for it yet: what was taken so far is given back."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def run(arguments: list[str]) -> int:
    """Call the command; no exception leaves here, no traceback reaches a person, no secret either.

    Handlers of signals are as before when it returns.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    try:
        for number in (signal.SIGHUP, signal.SIGTERM):
            if before[number] is signal.SIG_DFL:
                signal.signal(number, _stop)
        with guarding(), quiet_destructors():
            return _run(arguments)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """As Ctrl-C does by default: the system's own way would leave a lease that others must wait out."""
    del frame
    raise Stopped(number)


@contextmanager
def quiet_destructors() -> Iterator[None]:
    """A second Ctrl-C may fall into a destructor, where Python can only print it; the first has been obeyed."""

    def told(found: "sys.UnraisableHookArgs") -> None:
        if not isinstance(found.exc_value, KeyboardInterrupt):
            before(found)

    before, sys.unraisablehook = sys.unraisablehook, told
    try:
        yield
    finally:
        sys.unraisablehook = before


def _run(arguments: list[str]) -> int:
    try:
        code = _call(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        return _interrupted(stop)
    except RunnerError as error:
        return _told(error)
    except BrokenPipeError:
        _forget_stdout()
        return int(ExitCode.ERROR)
    except OSError as error:
        return _unwritten(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug is told in one line, not as a traceback
        return _left(error)
    return int(code or 0)


def _call(arguments: list[str]) -> Any:
    """`runner validate PATH...` goes without click, which is a seventh of its time; all else through it."""
    if arguments[:1] == ["validate"] and _is_plain(arguments[1:]):
        from runner.cli.validating import Asked, validate

        return validate(Asked(tuple(arguments[1:])))
    from runner.cli.root import root

    return root.main(args=arguments, prog_name="runner", standalone_mode=False)


def _is_plain(arguments: list[str]) -> bool:
    """Whether these are arguments without options, on the command line and in variables."""
    said = any(argument.startswith("-") for argument in arguments)
    return bool(arguments) and not said and not any(name.startswith("PLAY_") for name in os.environ)


def _left(error: Exception) -> int:
    """The exit code of one of click's own exceptions; everything else is a bug."""
    import click

    match error:
        case click.exceptions.Exit():
            return int(error.exit_code)
        case click.ClickException():
            error.show()
            _tell_source(error)
            return int(error.exit_code)
        case click.Abort():
            return _interrupted(error.__cause__ or error)
        case MemoryError() | RecursionError():
            return _exhausted(error)
        case _:
            return _bug(error)


def _tell_source(error: "click.ClickException") -> None:
    """A wrong value that nobody typed: say which variable it comes from."""
    import click

    if (
        not isinstance(error, click.BadParameter)
        or error.ctx is None
        or not isinstance(error.param, click.Option)
    ):
        return
    source = error.ctx.get_parameter_source(error.param.name or "")
    if source is click.core.ParameterSource.ENVIRONMENT:
        sys.stderr.write(f"hint: the value comes from the environment variable {error.param.envvar}\n")


def _interrupted(stop: BaseException) -> int:
    """The code of the signal that came, as a shell would give it."""
    _tell_notes(stop)
    return 128 + stop.number if isinstance(stop, Stopped) else int(ExitCode.INTERRUPTED)


def _told(error: RunnerError) -> int:
    from runner.reports.errors import tell

    if isinstance(error, InvalidDocumentError):
        from runner.reports.diagnostics import render_text

        sys.stderr.write(render_text(error.diagnostics))
    else:
        tell(error)
    _tell_notes(error)
    return int(error.exit_code)


def _tell_notes(error: BaseException) -> None:
    """What a run that broke off still has to say: last, since it matters most."""
    for note in getattr(error, "__notes__", ()):
        sys.stderr.write(f"{note}\n")


def _unwritten(error: OSError) -> int:
    """Standard output has no room, or the machine refuses what nothing nearer expected."""
    _forget_stdout()
    where = f"{error.filename}: " if error.filename else ""
    sys.stderr.write(f"error: {where}{error.strerror or error}\n")
    return int(ExitCode.ERROR)


def _forget_stdout() -> None:
    """Whoever read us has gone; a second complaint at exit helps nobody."""
    with suppress(OSError, ValueError):  # no descriptor is left for that, or there never was one
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exhausted(error: MemoryError | RecursionError) -> int:
    what = "memory" if isinstance(error, MemoryError) else "room on the stack"
    sys.stderr.write(
        f"error: there is not enough {what} to go on\nhint: allow it more: ulimit -a shows the limits\n"
    )
    _tell_notes(error)
    return int(ExitCode.ERROR)


def _bug(error: Exception) -> int:
    from runner.reports.wording import one_line

    if os.environ.get("PLAY_DEBUG"):
        import traceback

        traceback.print_exception(error)  # without the values of variables, into a guarded stream
    sys.stderr.write(
        f"error: runner met a bug of its own: {type(error).__name__}: {one_line(str(error))}\n"
        "hint: run again with PLAY_DEBUG=1 for the details, and report them\n"
    )
    _tell_notes(error)
    return int(ExitCode.ERROR)
