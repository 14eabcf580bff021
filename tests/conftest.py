"""What every test begins with."""

import signal

import pytest

from runner import secrecy


def pytest_configure(config):
    """What `&` or `nohup` let this suite ignore would be ignored by all that it starts, but handlers do not pass on."""
    del config
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)


@pytest.fixture(autouse=True)
def no_secrets():
    """A process knows its secrets for ever; a test does not know those of another."""
    secrecy._known.clear()
