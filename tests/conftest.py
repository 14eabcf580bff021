"""What every test begins with."""

import pytest

from runner import secrecy


@pytest.fixture(autouse=True)
def no_secrets():
    """A process knows its secrets for ever; a test does not know those of another."""
    secrecy._known.clear()
