"""Signals that a process was told to ignore, by `&`, by `nohup` or by what it called: whatever it starts would too."""

import signal


def hear_again() -> None:
    """From here on as in a freshly started process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def pass_on_no_deafness() -> None:
    """From here on children hear Ctrl-C and hanging up: a handler, unlike what is ignored, is not passed on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
