"""What lies between `runner` and the API server: TLS that ends here, with the rig's own certificate, and faults.

Every request is seen whole before it goes on. Whoever stages a scenario is told of each write before it is forwarded and
before it is answered, and may do anything meanwhile; `begin` and `end` say what is wrong with the connection.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

FORWARDED = ("reset after", "drips", "truncated", "huge", "garbage", "502")
"""Faults that lose the answer to what has happened; the others come before it can happen."""
WRITES = ("POST", "PUT", "PATCH", "DELETE")
SLOW = 2.0  # seconds
HANG = 40.0  # seconds; longer than any deadline of a client
DRIP = 0.4  # seconds for each byte
HUGE = 9 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what became of it; *status* 0 where nothing was forwarded."""

    process: int
    method: str
    path: str
    at: float
    status: int

    @property
    def writes(self) -> bool:
        return self.method in WRITES and "authorization.k8s.io" not in self.path


@dataclass(slots=True)
class Answer:
    """What the API server said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Told = Callable[[int, str, str, int], str | None]
"""Called with a process, `before` or `after`, an object's name and the number of its write; may name a fault for it."""


@dataclass(slots=True)
class Wire:
    """The wire of one scenario; every process that plays in it has an entrance of its own."""

    server: str
    pki: Path
    told: Told
    stranger: Path  # a folder with a certificate that nobody trusts
    calls: list[Call] = field(default_factory=list)
    entrances: list[Entrance] = field(default_factory=list)
    trouble: str | None = None
    mistakes: list[BaseException] = field(default_factory=list)  # of this module; nobody else's
    _free: threading.Event = field(default_factory=threading.Event)
    _numbers: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._free.set()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing passes meanwhile, so that a slow machine changes no order."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def wait_while_held(self) -> None:
        self._free.wait()

    def entrance(self) -> Entrance:
        """A new way in."""
        one = Entrance(self, len(self.entrances))
        self.entrances.append(one)
        return one

    def begin(self, trouble: str) -> None:
        """From now on this is wrong with every request."""
        self.trouble = trouble
        for one in self.entrances:
            if trouble == "refused":
                one.shut()
            elif trouble == "stranger":
                one.cut()

    def end(self) -> None:
        was, self.trouble = self.trouble, None
        for one in self.entrances:
            if was == "refused":
                one.open()
            elif was == "stranger":
                one.cut()

    def close(self) -> None:
        for one in self.entrances:
            one.shut()

    def number(self, name: str) -> int:
        """One more write of this object: which one it is."""
        with self._lock:
            self._numbers[name] = self._numbers.get(name, 0) + 1
            return self._numbers[name]

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the API server itself. OSError or HTTPException where it does not answer."""
        trust = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        connection = http.client.HTTPSConnection(self.server, context=trust, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            data = answer.read()
            kept = [
                it
                for it in answer.getheaders()
                if it[0].lower() not in ("transfer-encoding", "content-length")
            ]
            return Answer(answer.status, kept, data)
        finally:
            connection.close()


class Entrance:
    """A port on loopback that speaks TLS as the API server does."""

    def __init__(self, wire: Wire, process: int) -> None:
        self.wire, self.process = wire, process
        self.joined: set[socket.socket] = set()
        self._server: _Server | None = None
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    def open(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._server.wire = self.wire
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Refuse whoever comes, and cut off whoever is there."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Cut off whoever is there; a thread that waits for them has to be woken."""
        for one in list(self.joined):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def secured(self, raw: socket.socket) -> ssl.SSLSocket:
        """TLS with the rig's certificate, or with that of a stranger."""
        folder = self.wire.stranger if self.wire.trouble == "stranger" else self.wire.pki
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/serving.crt", f"{folder}/serving.key")
        return context.wrap_socket(raw, server_side=True)


class _Server(socketserver.ThreadingTCPServer):
    wire: Wire
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what faults are for; anything else is a mistake here."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.wire.mistakes.append(error)


def reset(one: socket.socket) -> None:
    """Close so that the other side is told that the connection broke.

    The handler's file objects would keep the descriptor open; without lingering, closing it sends a reset.
    """
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(one.detach())


def _handler(entrance: Entrance) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"entrance": entrance})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    entrance: Entrance

    def setup(self) -> None:
        self.request = self.entrance.secured(self.request)
        self.entrance.joined.add(self.request)
        super().setup()

    def finish(self) -> None:
        self.entrance.joined.discard(self.request)
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has there
        """Silence."""

    def do_GET(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        wire, body = self.entrance.wire, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = _written(self.command, self.path, body)
        number = wire.number(name) if name else 0
        process = self.entrance.process
        wire.wait_while_held()
        once = wire.told(process, "before", name, number) if name else None
        trouble = once or wire.trouble
        if trouble and trouble not in FORWARDED:
            self._note(0)
            if not _fail(self, trouble):
                return
        answer = self._forwarded(body)
        if answer is None:
            return
        self._note(answer.status)
        once = (wire.told(process, "after", name, number) if name else None) or once
        if trouble in FORWARDED or once == "reset after":
            _lose(self, answer, trouble if trouble in FORWARDED else "reset after")
        else:
            self.give(answer.status, answer.headers, answer.body)

    def _forwarded(self, body: bytes) -> Answer | None:
        """The API server's answer; where there is none, the client's connection breaks as well."""
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
        }
        try:
            return self.entrance.wire.forward(self.command, self.path, headers, body)
        except (OSError, http.client.HTTPException):
            self._note(0)
            self.cut()
            return None

    def _note(self, status: int) -> None:
        call = Call(self.entrance.process, self.command, self.path, time.monotonic(), status)
        self.entrance.wire.calls.append(call)

    def give(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        """Break the connection off."""
        self.close_connection = True
        reset(self.request)


def _written(method: str, path: str, body: bytes) -> str:
    """The name of the object that a request writes; empty for everything else."""
    if method not in WRITES or "authorization.k8s.io" in path:
        return ""
    try:
        return str(json.loads(body)["metadata"]["name"])
    except (ValueError, KeyError, TypeError):
        return path.partition("?")[0].rsplit("/", 1)[1]


def _fail(handler: _Handler, trouble: str) -> bool:
    """Fail before anything can happen; True where the request goes on all the same."""
    match trouble:
        case "slow":
            time.sleep(SLOW)
            return True
        case "closed":
            handler.close_connection = True
        case "hangs":
            time.sleep(HANG)
            handler.cut()
        case "429":
            _say(handler, 429, "TooManyRequests", [("Retry-After", "2")])
        case "503" | "500" | "401" | "403":
            reasons = {
                "503": "ServiceUnavailable",
                "500": "InternalError",
                "401": "Unauthorized",
                "403": "Forbidden",
            }
            _say(handler, int(trouble), reasons[trouble], [])
        case "redirect":
            handler.give(302, [("Location", "https://login.example/")], b"")
        case _:
            handler.cut()
    return False


def _say(handler: _Handler, code: int, reason: str, headers: list[tuple[str, str]]) -> None:
    """As an API server says no."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    body = json.dumps(status | {"message": f"the wire says {code}"}).encode()
    handler.give(code, [("Content-Type", "application/json"), *headers], body)


def _lose(handler: _Handler, answer: Answer, trouble: str) -> None:
    """Lose the answer to what has happened."""
    match trouble:
        case "drips":
            _drip(handler, answer)
        case "truncated":
            handler.send_response_only(answer.status)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body[: len(answer.body) // 2])
            handler.close_connection = True
        case "huge":
            handler.give(200, [("Content-Type", "application/json")], b" " * HUGE + answer.body)
        case "garbage":
            handler.give(200, [("Content-Type", "text/html")], b"<html>please wait</html>")
        case "502":
            handler.give(502, [("Content-Type", "text/html")], b"<html>bad gateway</html>")
        case _:
            handler.cut()


def _drip(handler: _Handler, answer: Answer) -> None:
    handler.send_response_only(answer.status)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    for n in range(len(answer.body)):
        handler.wfile.write(answer.body[n : n + 1])
        handler.wfile.flush()
        time.sleep(DRIP)
