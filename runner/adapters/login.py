"""How a kubeconfig's user proves who it is: what the file says, as values."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from runner.errors import RunnerError
from runner.secrecy import Secret, keep_secret

UNSENDABLE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
"""What no header can carry (RFC 9110, 5.5); Python would refuse it with the whole header in its words."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate and its key, as PEM text."""

    chain: str = field(repr=False)
    key: Secret


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token that stands in the kubeconfig itself."""

    value: Secret


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A bearer token that is read again from time to time."""

    path: str


@dataclass(frozen=True, slots=True)
class Password:
    """Basic authentication."""

    user: str
    value: Secret


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that prints an ExecCredential; *command* is an absolute path that the operator allowed."""

    command: str
    api_version: str
    args: tuple[str, ...] = field(default=(), repr=False)
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
    proxy: Secret | None = None
    verified: bool = True
    impersonate: tuple[tuple[str, str], ...] = ()


def bearer(token: Secret) -> Mapping[str, str]:
    """The header that carries *token*. RunnerError where none could."""
    return {"Authorization": f"Bearer {sendable(token.reveal(), 'the token')}"}


def basic(user: str, password: Secret) -> Mapping[str, str]:
    """The header that carries a user's password."""
    both = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
    keep_secret(both)
    return {"Authorization": f"Basic {both}"}


def sendable(text: str, what: str) -> str:
    """*text*, which a header can carry. RunnerError names *what* where it holds a line break or the like."""
    if found := UNSENDABLE.search(text):
        raise RunnerError(
            f"{what} cannot be sent: its character {found.start() + 1} is U+{ord(found[0]):04X}",
            hint="it is one line of plain characters; look for a second line, or for quotes of a word processor",
        )
    return text
