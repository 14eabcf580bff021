"""What every test begins with."""

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
