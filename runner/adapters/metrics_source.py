"""The ways to a Prometheus: straight to its address, or through the API server's service proxy."""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlencode, urlsplit

import urllib3

from runner import __version__
from runner.adapters import wire
from runner.adapters.api_server import ApiServer, Request
from runner.adapters.expiry import ending_of
from runner.adapters.login import basic, bearer, sendable
from runner.adapters.operator import to_write
from runner.errors import RunnerError
from runner.model.config import Config, MetricsSource
from runner.ports import Cluster, Ending, ObjectRef
from runner.secrecy import Secret, keep_secret, sounds_secret

DEADLINE = 10.0  # seconds for one query
CAP = 64 * 1024  # bytes of one answer: more is no measurement
LONG = 4000  # characters of a query that no longer travel in the address
LOOPBACK = ("localhost", "127.0.0.1", "::1")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~\w-]+", re.ASCII)  # the name of a header (RFC 9110, 5.6.2)
CONFIG_LINES = "prometheus:\n  {name}: {{url: https://prometheus.example.com}}"


class Source(Protocol):
    """Somewhere that speaks the Prometheus HTTP API."""

    @property
    def address(self) -> str:
        """Where it is, for people."""

    def fetch(self, fields: Mapping[str, str]) -> wire.Page:
        """The answer of /api/v1/query to *fields*. WireError or RunnerError when there is none."""


class Direct:
    """Straight to an address, with the credentials of its named source and no others."""

    def __init__(self, source: MetricsSource, *, deadline: float = DEADLINE) -> None:
        self.address = source.url.rstrip("/")
        self._source = source
        self._deadline = deadline
        trust = _trust(source) if self.address.startswith("https:") else None
        self._pool = urllib3.PoolManager(ssl_context=trust, retries=wire.ONCE)
        wire.keep_deadlines(self._pool, wary=not source.has_credentials)

    def fetch(self, fields: Mapping[str, str]) -> wire.Page:
        """Ask once; a long query travels in the body."""
        url, text = f"{self.address}/api/v1/query", urlencode(fields)
        headers = _credentials(self._source) | {
            "Accept": "application/json",
            "User-Agent": f"runner/{__version__}",
        }
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        how = urllib3.Timeout(total=self._deadline)
        with wire.border():
            if len(text) > LONG:
                answer = self._pool.urlopen(
                    "POST", url, body=text, headers=headers | form, timeout=how, preload_content=False
                )
            else:
                answer = self._pool.urlopen(
                    "GET", f"{url}?{text}", headers=headers, timeout=how, preload_content=False
                )
            return wire.whole(answer, CAP)


@dataclass(frozen=True, slots=True)
class Service:
    """A Service of the cluster, as a URL names it."""

    namespace: str
    name: str
    scheme: str
    port: int
    path: tuple[str, ...] = ()


class Proxied:
    """Through the API server, as the kubeconfig's user, who needs `get services/proxy`."""

    def __init__(self, server: ApiServer, service: Service) -> None:
        self.address = f"{service.name}.{service.namespace} through the API server"
        self._server = server
        target = f"{service.scheme}:{service.name}:{service.port}"
        place = ("api", "v1", "namespaces", service.namespace, "services", target, "proxy")
        self._path = (*place, *service.path, "api", "v1", "query")

    def fetch(self, fields: Mapping[str, str]) -> wire.Page:
        """Ask once."""
        page = self._server.call(Request("GET", self._path, tuple(fields.items())))
        if len(page.body) > CAP:
            raise wire.CutShortError(f"the answer is larger than {CAP // 1024} KiB")
        return page


def ending_at(source: MetricsSource) -> Ending | None:
    """When the token of *source* ends, as far as it says so. RunnerError when it cannot be read."""
    if source.token_file is None:
        return None
    token = Secret(_content(source.token_file, source))
    return ending_of(token, f'the token of the metrics source "{source.name}"')


def source_named(text: str, config: Config) -> MetricsSource:
    """The operator's source called *text*, or the URL that *text* is. RunnerError when it is neither."""
    if source := config.source(text):
        _check(source, wire.parsed_address(source.url))
        return source
    if "://" not in text:
        raise _unknown(text, config)
    source = MetricsSource(name=text, url=text)
    _check(source, wire.parsed_address(text))
    return source


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is at hand for finding a source: a cluster, if there is one, and somebody to tell."""

    cluster: Cluster
    server: ApiServer
    namespace: str
    say: Callable[[str], None]


def way_to(
    source: MetricsSource, around: Surroundings | None, resolves: Callable[[str], bool] | None = None
) -> Source:
    """Straight, or through the service proxy where the host is a Service of the cluster and unknown here."""
    host = urlsplit(source.url).hostname or ""
    if around is None or source.has_credentials or (resolves or _resolves)(host):
        return Direct(source)
    service = _service(urlsplit(source.url), around.namespace)
    if service is None or not _exists(service, around.cluster):
        return Direct(source)
    around.say(f"{host} does not resolve here; it is asked through the API server's service proxy")
    return Proxied(around.server, service)


def _service(url: SplitResult, namespace: str) -> Service | None:
    """``NAME``, ``NAME.NAMESPACE``, ``NAME.NAMESPACE.svc`` and ``NAME.NAMESPACE.svc.cluster.local``."""
    labels = (url.hostname or "").split(".")
    if labels[2:] not in ([], ["svc"], ["svc", "cluster", "local"]):
        return None
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    path = tuple(part for part in url.path.split("/") if part)
    return Service(labels[1] if len(labels) > 1 else namespace, labels[0], url.scheme, port, path)


def _exists(service: Service, cluster: Cluster) -> bool:
    return cluster.get(ObjectRef("v1", "Service", service.namespace, service.name)) is not None


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True


def _check(source: MetricsSource, url: SplitResult) -> None:
    if url.username is not None or url.query or url.fragment:
        raise RunnerError(
            "the address of a Prometheus holds no password and no parameters: everybody sees it",
            hint="name the source in your Config, with a basicAuthFile, tokenFile or headersFile",
        )
    if url.scheme not in ("http", "https") or not url.hostname:
        raise RunnerError(
            f'"{wire.without_login(source.url)}" is no address of a Prometheus',
            hint="write for example http://prometheus.istio-system:9090, without /api/v1/query",
        )
    if (
        source.has_credentials
        and url.scheme == "http"
        and not source.insecure
        and url.hostname not in LOOPBACK
    ):
        raise RunnerError(
            f'the credentials of "{source.name}" would travel unencrypted to {source.url}',
            hint="use https, or write `insecure: true` beside its url",
        )


def _unknown(name: str, config: Config) -> RunnerError:
    names = [source.name for source in config.prometheus]
    near = get_close_matches(name, names, n=1)
    known = f"{config.file} names {', '.join(sorted(names))}" if names else f"{config.file} names none"
    hint = (
        f'did you mean "{near[0]}"?'
        if near
        else f"write into {to_write(CONFIG_LINES.format(name=name), config)}"
    )
    return RunnerError(f'there is no metrics source "{name}": {known}', hint=hint)


def _trust(source: MetricsSource) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=source.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise RunnerError(f'the caFile of "{source.name}" cannot be used: {error}') from error
    return context


def _credentials(source: MetricsSource) -> dict[str, str]:
    """Read for every query, since tokens rotate."""
    found: dict[str, str] = {}
    if source.headers_file:
        lines = (line for line in _content(source.headers_file, source).splitlines() if line.strip())
        found |= dict(_header(line, source) for line in lines)
    if source.basic_auth_file:
        user, _, password = _content(source.basic_auth_file, source).partition(":")
        found |= basic(user, Secret(password))
    if source.token_file:
        found |= bearer(Secret(_content(source.token_file, source)))
    return found


def _header(line: str, source: MetricsSource) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise RunnerError(f'the headersFile of "{source.name}" needs one "Name: value" a line')
    if not TOKEN.fullmatch(name.strip()):
        raise RunnerError(f'the headersFile of "{source.name}" names a header that is none')
    if sounds_secret(name):
        keep_secret(value.strip())
    return name.strip(), sendable(value.strip(), f'the header {name.strip()} of "{source.name}"')


def _content(path: str, source: MetricsSource) -> str:
    """What a file holds; its name is not told, since people write the secret itself there by mistake."""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RunnerError(
            f'a credential of "{source.name}" cannot be read: {reason}',
            hint="the Config names files, relative to itself, and never the secrets in them",
        ) from None
