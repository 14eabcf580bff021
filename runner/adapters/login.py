"""How a kubeconfig's user proves who it is: the values of the file, and what is sent with each request."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.errors import RunnerError

REREAD = 60.0  # seconds that the content of a token file is used; kubelets rotate tokens in place


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate and its key, as PEM text."""

    chain: str = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token that stands in the kubeconfig itself."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A bearer token that is read again from time to time."""

    path: str


@dataclass(frozen=True, slots=True)
class Password:
    """Basic authentication."""

    user: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that prints an ExecCredential; *command* is an absolute path that the operator allowed."""

    command: str
    api_version: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cluster: Mapping[str, object] | None = None


Proof = Token | TokenFile | Password | ExecPlugin | None


@dataclass(frozen=True, slots=True)
class Login:
    """All that it takes to speak to one API server as one user; secrets never show in its repr."""

    server: str
    proof: Proof = None
    certificate: Certificate | None = None
    authorities: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    verified: bool = True
    impersonate: tuple[tuple[str, str], ...] = ()


class Credential(Protocol):
    """What is sent with each request, kept fresh."""

    def headers(self) -> Mapping[str, str]:
        """The headers that prove who asks. RunnerError when they cannot be had."""

    def certificate(self) -> Certificate | None:
        """A client certificate that came with them."""

    def renew(self) -> bool:
        """Forget what is remembered after a 401; False when asking again would give the same."""


class Fixed:
    """A credential that never changes."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        """The same headers every time."""
        return self._headers

    def certificate(self) -> None:
        """None: a fixed credential brings no certificate of its own."""

    def renew(self) -> bool:
        """False: there is nothing newer to be had."""
        return False


class FromFile:
    """A token file, read again every minute and after a 401."""

    def __init__(self, path: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._token = ""
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


def bearer(token: str) -> Mapping[str, str]:
    """The header that carries *token*."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> Mapping[str, str]:
    """The header that carries a user's password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def credential_for(proof: Proof) -> Credential:
    """The living form of what a kubeconfig says."""
    match proof:
        case Token(value=value):
            return Fixed(bearer(value))
        case TokenFile(path=path):
            return FromFile(path)
        case Password(user=user, value=value):
            return Fixed(basic(user, value))
        case ExecPlugin():
            from runner.adapters.exec_plugin import FromPlugin

            return FromPlugin(proof)
        case None:
            return Fixed({})


def _token_in(path: str) -> str:
    try:
        token = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RunnerError(f'the token file "{path}" cannot be read: {error}') from error
    if not token:
        raise RunnerError(f'the token file "{path}" is empty')
    return token
