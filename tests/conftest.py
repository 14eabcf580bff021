"""What every test begins with."""

import signal

import pytest

from runner import secrecy
from tests.fakes.hearing import pass_on_no_deafness


def pytest_configure(config):
    del config
    pass_on_no_deafness()


@pytest.fixture(autouse=True)
def no_secrets():
    """A process knows its secrets for ever; a test does not know those of another."""
    secrecy._known.clear()


@pytest.fixture(autouse=True)
def same_ears():
    """A run that has ended hears no signals any more; what the next test starts must."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
