"""One Kubernetes API server, spoken to in raw JSON through the official client.

The client is used for what it does well (requests, pools, proxies) and kept from what would hurt: it
repeats PUT and DELETE up to four times when a connection breaks, has no default deadline, and its
typed models drop fields that they do not know.
"""

import json
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import urllib3

from runner import __version__
from runner.adapters import wire
from runner.adapters.credentials import credential_for
from runner.adapters.login import Certificate, Login
from runner.errors import RunnerError
from runner.ports import Ending
from runner.secrecy import keep_secret

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

DEADLINE = 15.0  # seconds for one call, whatever the other side does
CAP = 8 * 1024 * 1024  # bytes of one answer
UNAUTHORIZED = 401
APPLY = "application/apply-patch+yaml"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One call: a method, the segments of a path, a query, and what is sent."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | bytes | None = None
    content_type: str = JSON

    @property
    def target(self) -> str:
        """Path and query, each segment quoted so that no name can leave its place."""
        path = "/" + "/".join(quote(segment, safe=":") for segment in self.path)
        return f"{path}?{urlencode(self.query)}" if self.query else path


class ApiServer:
    """Sends each request once, as the user of one login. Not for several threads."""

    def __init__(self, login: Login, *, deadline: float = DEADLINE) -> None:
        self.login = login
        self._deadline = deadline
        self._credential = credential_for(login.proof)
        self._certificate = login.certificate
        self._client: ApiClient | None = None

    def call(self, request: Request) -> wire.Page:
        """The whole answer, whatever its status. WireError when none came.

        An answer of 401 means that nothing was done: it is asked again, once, if there is a newer credential.
        """
        page = self._send(request)
        if page.status == UNAUTHORIZED and self._credential.renew():
            page = self._send(request)
        return page

    def ending(self) -> Ending | None:
        """When the credential that is sent with each call ends, as far as it says so."""
        return self._credential.ending()

    def close(self) -> None:
        """Close the connections that are kept open."""
        if self._client is not None:
            self._client.rest_client.close()

    def _send(self, request: Request) -> wire.Page:
        client = self._ready_client()
        from kubernetes.client.exceptions import ApiException

        body = dict(request.body) if isinstance(request.body, Mapping) else request.body
        url = self.login.server + request.target
        headers = self._headers(request)
        try:
            with wire.border():
                answer = client.call_api(request.method, url, headers, body, _request_timeout=self._deadline)
                return wire.whole(answer.response, CAP)
        except ApiException as error:  # what the client makes of a TLS failure
            cause = error.__context__
            raise wire.wire_error(cause if isinstance(cause, Exception) else error) from error

    def _headers(self, request: Request) -> urllib3.HTTPHeaderDict:
        headers = urllib3.HTTPHeaderDict(self._credential.headers())
        for name, value in self.login.impersonate:
            headers.add(name, value)
        headers["Accept"] = JSON
        headers["User-Agent"] = f"runner/{__version__}"
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        return headers

    def _ready_client(self) -> "ApiClient":
        """A client for the certificate that is current; a plugin may bring a new one."""
        certificate = self._credential.certificate() or self.login.certificate
        if self._client is None or certificate != self._certificate:
            self.close()
            self._certificate = certificate
            self._client = _client(self.login, certificate)
        return self._client


def _client(login: Login, certificate: Certificate | None) -> "ApiClient":
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration(host=login.server, retries=wire.ONCE)
    configuration.verify_ssl = login.verified
    configuration.tls_server_name = login.tls_server_name
    # the client has found the environment's proxies by itself; plain http is for this machine, and stays on it
    secure = login.server.startswith("https:")
    own = login.proxy.reveal() if login.proxy else None
    configuration.proxy = own or (configuration.proxy if secure else None)
    client = _through(configuration.proxy, lambda: ApiClient(configuration))
    manager = client.rest_client.pool_manager
    wire.keep_deadlines(manager)
    if not login.verified:  # the operator's own decision; urllib3 would complain at every request
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if secure:
        manager.connection_pool_kw["ssl_context"] = _trust(login, certificate)
    return client


def _through(proxy: str | None, make: "Callable[[], ApiClient]") -> "ApiClient":
    """The client, whose proxy may come from the environment and hold a password. RunnerError where it is none."""
    try:
        keep_secret(unquote(urlsplit(proxy or "").password or ""))
        if urlsplit(proxy or "").scheme.startswith("socks"):  # its connections would know no deadline
            raise _no_proxy("it speaks SOCKS")
        return make()
    except (urllib3.exceptions.HTTPError, ValueError):  # their words hold the whole address
        raise _no_proxy("its address is none") from None


def _no_proxy(why: str) -> RunnerError:
    return RunnerError(
        f"the proxy of this cluster cannot be used: {why}",
        hint="look at proxy-url in the kubeconfig and at HTTPS_PROXY: http://HOST:PORT or https://HOST:PORT",
    )


def _trust(login: Login, certificate: Certificate | None) -> ssl.SSLContext:
    """Whom we believe and who we are; without authorities of its own, a cluster is judged by the system's."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not login.verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif login.authorities:
            context.load_verify_locations(cadata=login.authorities)
        else:
            context.load_default_certs()
        if certificate:
            _identify(context, certificate)
    except ssl.SSLError as error:
        raise RunnerError(f"a certificate of the kubeconfig cannot be used: {error}") from None
    except ValueError:
        raise RunnerError("a certificate of the kubeconfig cannot be used: it is not PEM text") from None
    return context


def _identify(context: ssl.SSLContext, certificate: Certificate) -> None:
    """OpenSSL takes the key from files only: where there are files in memory, a kill leaves none on a disk."""
    both = f"{certificate.chain}\n{certificate.key.reveal()}\n".encode("ascii")
    with _unnamed(both) as file:
        context.load_cert_chain(file)


@contextmanager
def _unnamed(content: bytes) -> Iterator[str]:
    """A path at which *content* is read until the block ends."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
        with open(os.memfd_create("runner"), "w+b", buffering=0) as memory:  # noqa: PTH123 - a descriptor has no path
            memory.write(content)
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    with tempfile.NamedTemporaryFile(prefix="runner-", buffering=0) as disk:
        disk.write(content)
        yield disk.name


def parsed(page: wire.Page) -> Any:
    """The JSON of *page*; None where it is none."""
    try:
        return json.loads(page.body)
    except (ValueError, RecursionError):
        return None
