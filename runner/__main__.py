"""The `runner` command: the two pages that need no imports, then everything else."""

import os
import sys


def main() -> None:
    """Run the command line and exit with its code; Ctrl-C while it is still being imported is no traceback."""
    try:
        _forget_working_folder()
        _run()
    except KeyboardInterrupt:
        sys.exit(130)


def _forget_working_folder() -> None:
    """`python -m runner` puts the folder that it is called in before all libraries; a playbook's may be hostile."""
    try:
        here = os.getcwd()  # noqa: PTH109 - pathlib is not imported yet
    except OSError:
        here = ""
    if sys.path and sys.path[0] in ("", here):
        del sys.path[0]


def _run() -> None:
    _reopen_closed_streams()
    arguments = sys.argv[1:]
    completing = "_RUNNER_COMPLETE" in os.environ  # a shell asks click by this variable, without arguments
    if arguments in (["--version"], [], ["--help"], ["-h"]) and not completing:
        _page(arguments)
    from runner.cli.offline import OFFLINE, stay_offline

    if arguments[:1] and arguments[0] in OFFLINE:
        stay_offline(arguments[0])
    from runner.cli.entry import run

    code = run(arguments)
    _close_ears()
    sys.exit(code)


def _close_ears() -> None:
    """How it ended is decided and said: a signal while the interpreter ends changes nothing any more."""
    import signal

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _reopen_closed_streams() -> None:
    """A stream that the caller closed becomes the null device, so that no state file gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - pathlib is not imported yet


def _page(arguments: list[str]) -> None:
    """Print without importing what a command would need."""
    from runner import __version__
    from runner.cli.commands import root_help

    try:
        sys.stdout.write(f"runner {__version__}\n" if arguments == ["--version"] else root_help())
        sys.stdout.flush()
    except OSError:
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
