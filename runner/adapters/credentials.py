"""What proves with each request who asks, kept fresh."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from runner.adapters.exec_plugin import FromPlugin
from runner.adapters.expiry import ending_of
from runner.adapters.login import Certificate, ExecPlugin, Password, Proof, Token, TokenFile, basic, bearer
from runner.errors import RunnerError
from runner.ports import Ending
from runner.secrecy import Secret

REREAD = 60.0  # seconds that the content of a token file is used; kubelets rotate tokens in place


class Credential(Protocol):
    """What is sent with each request, kept fresh."""

    def headers(self) -> Mapping[str, str]:
        """The headers that prove who asks. RunnerError when they cannot be had."""

    def certificate(self) -> Certificate | None:
        """A client certificate that came with them."""

    def renew(self) -> bool:
        """Forget what is remembered after a 401; False when asking again would give the same."""

    def ending(self) -> Ending | None:
        """When it ends, as far as it says so. RunnerError when it cannot be had."""


class Fixed:
    """A credential that never changes."""

    def __init__(self, headers: Mapping[str, str], ending: Ending | None = None) -> None:
        self._headers = headers
        self._ending = ending

    def headers(self) -> Mapping[str, str]:
        """The same headers every time."""
        return self._headers

    def certificate(self) -> None:
        """None: a fixed credential brings no certificate of its own."""

    def renew(self) -> bool:
        """False: there is nothing newer to be had."""
        return False

    def ending(self) -> Ending | None:
        """What it was made with."""
        return self._ending


class FromFile:
    """A token file, read again every minute and after a 401."""

    def __init__(self, path: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._token = Secret("")
        self._until = float("-inf")

    def headers(self) -> Mapping[str, str]:
        """The bearer token of the file, at most a minute old."""
        if self._monotonic() >= self._until:
            self._token = _token_in(self._path)
            self._until = self._monotonic() + REREAD
        return bearer(self._token)

    def certificate(self) -> None:
        """None: a token file brings no certificate."""

    def renew(self) -> bool:
        """Read the file at the next request; True when it has changed."""
        self._until = float("-inf")
        return _token_in(self._path) != self._token

    def ending(self) -> Ending | None:
        """That of the token that the file holds now."""
        return ending_of(_token_in(self._path), f"the token in {self._path}")


def credential_for(proof: Proof) -> Credential:
    """The living form of what a kubeconfig says."""
    match proof:
        case Token(value=value):
            return Fixed(bearer(value), ending_of(value, "the token of the kubeconfig"))
        case TokenFile(path=path):
            return FromFile(path)
        case Password(user=user, value=value):
            return Fixed(basic(user, value))
        case ExecPlugin():
            return FromPlugin(proof)
        case None:
            return Fixed({})


def _token_in(path: str) -> Secret:
    try:
        token = Path(path).read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise RunnerError(f'the token file "{path}" holds bytes that are no text') from None
    except OSError as error:
        raise RunnerError(f'the token file "{path}" cannot be read: {error.strerror}') from error
    if not token:
        raise RunnerError(f'the token file "{path}" is empty')
    return Secret(token)
