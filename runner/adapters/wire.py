"""HTTP as the adapters speak it: sent once, never redirected, one deadline a call, a cap on the body.

urllib3's timeouts hold for every single read, so a server that drips keeps a call alive for ever;
here the deadline is a moment, and each read gets what is left until then. (The TLS handshake and
sending already have that meaning in Python; resolving a name has the resolver's own limits.)
"""

import errno
import functools
import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3 import connection, connectionpool, exceptions

from runner.secrecy import hide

GOOD = range(200, 300)
CONNECT = 4.0  # seconds for each address, and again for the handshake
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "fd00:ec2::254",  # AWS, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
        "fd20:ce::254",  # Google Cloud, https://cloud.google.com/compute/docs/metadata/querying-metadata
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure, https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    )
)
"""Where clouds answer besides the link-local addresses."""
REFUSED_HANDSHAKE = ("ALERT", "WRONG_VERSION", "UNSUPPORTED_PROTOCOL", "RECORD_LAYER", "HTTP_REQUEST")


def parsed_address(text: str) -> SplitResult:
    """The parts of a URL; empty ones for what is none, and for what somebody could read otherwise than we do."""
    nothing = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(text)
        usable = text.isprintable() and " " not in text and parts.port != 0
    except ValueError:
        return nothing
    return parts if usable else nothing


def without_login(text: str) -> str:
    """A URL, however broken, without what may be a password in it."""
    return text.rpartition("@")[2]


class WireError(Exception):
    """No whole answer came; *reason* says why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSentError(WireError):
    """The request never left this machine."""


class CutShortError(WireError):
    """The request may have arrived, and no whole answer came back."""


class UntrustedError(WireError):
    """The two sides do not trust each other: a certificate, or no TLS at all on the other side."""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole answer; header names are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to be left alone, where it says a number."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isdecimal() else None


class _DeadlinedReader(io.RawIOBase):
    """Reads a socket until one moment, however slowly the other side answers."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlinedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, until: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_DeadlinedReader(raw, sock, until))


class _PlainConnection(connection.HTTPConnection):
    def connect(self) -> None:
        self.timeout = min(float(self.timeout or CONNECT), CONNECT)
        super().connect()

    def getresponse(self) -> Any:
        return _with_deadline(self, super().getresponse)


class _TlsConnection(connection.HTTPSConnection):
    def connect(self) -> None:
        self.timeout = min(float(self.timeout or CONNECT), CONNECT)
        super().connect()

    def getresponse(self) -> Any:
        return _with_deadline(self, super().getresponse)


def _with_deadline(conn: connection.HTTPConnection, getresponse: Any) -> Any:
    """At this point urllib3 has set the connection's timeout to what is left of the call's."""
    until = time.monotonic() + float(conn.timeout or 0.0)
    conn.response_class = functools.partial(_DeadlinedResponse, until=until)  # type: ignore[assignment]  # a factory
    try:
        return getresponse()
    finally:
        del conn.response_class


class _PlainPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _PlainConnection  # type: ignore[mutable-override]  # urllib3's documented way


class _TlsPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection  # type: ignore[mutable-override]  # urllib3's documented way


class _WaryPlainConnection(_PlainConnection):
    def connect(self) -> None:
        super().connect()
        _refuse_link_local(self)


class _WaryTlsConnection(_TlsConnection):
    def connect(self) -> None:
        super().connect()
        _refuse_link_local(self)


def _refuse_link_local(conn: connection.HTTPConnection) -> None:
    """Looks at the address that was really reached, so no name can be resolved to another one in between."""
    peer = conn.sock.getpeername() if conn.sock else ("",)
    if keeps_credentials(peer[0]):
        conn.close()
        cause = OSError(
            errno.EACCES, f"{peer[0]} is where clouds keep their machines' credentials; it is never asked"
        )
        raise exceptions.NewConnectionError(conn, str(cause)) from cause


def keeps_credentials(address: str) -> bool:
    """Whether a cloud answers at *address* to its own machines, whichever way an IPv6 address spells an older one."""
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    older = _older(found) if isinstance(found, ipaddress.IPv6Address) else None
    return any(each.is_link_local or each in METADATA for each in (found, older) if each is not None)


def _older(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside *address*: mapped, 6to4, or translated by the well-known prefix of RFC 6052."""
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class _WaryPlainPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _WaryPlainConnection  # type: ignore[mutable-override]  # urllib3's documented way


class _WaryTlsPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _WaryTlsConnection  # type: ignore[mutable-override]  # urllib3's documented way


ONCE = urllib3.Retry(False, respect_retry_after_header=False)  # noqa: FBT003 - urllib3's own spelling of "never"
"""No repeats and no redirects; errors come as they are."""


def keep_deadlines(manager: urllib3.PoolManager, *, wary: bool = False) -> None:
    """From here on a timeout of *manager* is a deadline for the whole call.

    A *wary* one never sends anything to a link-local address, where clouds keep their machines' credentials.
    """
    plain, tls = (_WaryPlainPool, _WaryTlsPool) if wary else (_PlainPool, _TlsPool)
    manager.pool_classes_by_scheme = {"http": plain, "https": tls}


def whole(response: urllib3.BaseHTTPResponse, cap: int) -> Page:
    """Read all of *response*, at most *cap* bytes. CutShortError for more than that."""
    body = response.read(cap + 1)
    if len(body) > cap:
        response.close()
        raise CutShortError(f"the answer is larger than {cap // 1024} KiB")
    headers = urllib3.HTTPHeaderDict((name, hide(value)) for name, value in response.headers.items())
    return Page(response.status, headers, body if response.status in GOOD else _without_secrets(body))


def _without_secrets(body: bytes) -> bytes:
    """A refusal may repeat what was sent, credentials and all; it is for people, so dots do no harm in it."""
    return hide(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


@contextmanager
def border() -> Iterator[None]:
    """Foreign exceptions become a WireError here."""
    try:
        yield
    except (exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        # ValueError: what http.client and urllib3 say of lengths and addresses that are none
        raise wire_error(error) from error


def wire_error(error: Exception) -> WireError:
    """What *error* means for a request: never sent, cut short, or not trusted."""
    match error:
        case exceptions.ProxyError() | exceptions.NewConnectionError() | exceptions.ConnectTimeoutError():
            return NotSentError(_why_not_sent(error))
        case exceptions.SSLError() | ssl.SSLError():
            return _tls_error(error)
        case exceptions.ReadTimeoutError() | TimeoutError():
            return CutShortError("no whole answer came before the deadline")
        case _:
            return CutShortError(f"the connection broke off: {_words(error)}")


def _why_not_sent(error: Exception) -> str:
    match error:
        case exceptions.ProxyError():
            return f"the proxy does not let the connection through: {_words(error)}"
        case exceptions.NameResolutionError():
            return "the host name cannot be resolved"
        case exceptions.NewConnectionError():
            return _words(error)
        case _:
            return "no connection came about in time"


def _tls_error(error: Exception) -> WireError:
    cause = next((inner for inner in _chain(error) if isinstance(inner, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UntrustedError(f"its certificate is not trusted: {cause.verify_message}")
    reason = str(getattr(cause, "reason", "") or "")
    if any(word in reason for word in REFUSED_HANDSHAKE):
        return UntrustedError(f"TLS was refused: {reason.replace('_', ' ').lower()}")
    return CutShortError(f"TLS broke off: {reason.replace('_', ' ').lower() or _words(error)}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """*error* and what it came from, also where urllib3 keeps the cause among its arguments."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        inner = next((argument for argument in seen.args if isinstance(argument, BaseException)), None)
        seen = inner or seen.__cause__ or seen.__context__


def _words(error: BaseException) -> str:
    """The operating system's words where there are some, else the innermost message."""
    innermost = list(_chain(error))[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror.lower()
    return str(innermost) or type(innermost).__name__
