"""How a kubeconfig's user proves who it is: what the file says, as values."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field


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


def bearer(token: str) -> Mapping[str, str]:
    """The header that carries *token*."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> Mapping[str, str]:
    """The header that carries a user's password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
