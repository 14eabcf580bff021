"""A server on 127.0.0.1 that answers with exactly the bytes, pauses and broken connections that a test names."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HANG = 60.0  # seconds; longer than any test waits; the server's end cuts it short


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """Pieces of an answer, *pause* seconds before each; then the connection stays or breaks."""

    pieces: Sequence[bytes]
    pause: float = 0.0
    keep: bool = False
    hang: bool = False

    @property
    def deadline(self) -> float:
        """Seconds for a client: few where waiting is the point, else so many that a busy machine is not silence."""
        return 0.2 if self.hang or self.pause else 30.0


def page(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> Reply:
    """A whole and honest answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"Content-Type": content_type, "Content-Length": str(len(body))} | named
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
    return Reply([head.encode() + body], keep=True)


def says(status: int, answer: Any, **headers: str) -> Reply:
    """A whole answer in JSON."""
    return page(status, json.dumps(answer).encode(), **headers)


def html(status: int = 200) -> Reply:
    """What a login page or a proxy answers."""
    return page(status, b"<html><body>Please log in</body></html>", "text/html; charset=utf-8")


def truncated() -> Reply:
    """Promises more than it sends."""
    return Reply(
        [b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"kind":']
    )


def dripping(every: float) -> Reply:
    """Always one more byte, never an end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n"
    return Reply([head, *([b" "] * 1200)], pause=every)


def dripping_headers(every: float) -> Reply:
    """Not even the headers end."""
    return Reply([b"HTTP/1.1 200 OK\r\nX-A: ", *([b"b"] * 1200)], pause=every)


def silence() -> Reply:
    """Takes the request and never answers."""
    return Reply([], hang=True)


def hang_up() -> Reply:
    """Takes the request and closes the connection."""
    return Reply([])


def in_turn(replies: Sequence[Reply]) -> Callable[[Seen], Reply]:
    """Each reply once, whatever is asked."""
    left = iter(replies)
    return lambda _: next(left)


@dataclass
class Loopback:
    """The running server: what came in, and what goes out next."""

    url: str
    answer: Callable[[Seen], Reply]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0


@contextmanager
def serving(
    answer: Callable[[Seen], Reply] | Sequence[Reply], tls: ssl.SSLContext | None = None
) -> Iterator[Loopback]:
    """A server that answers each request by *answer*, or with the replies of a list in turn."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = Loopback(
        f"{'https' if tls else 'http'}://127.0.0.1:{port}", answer if callable(answer) else in_turn(answer)
    )
    stopped = threading.Event()
    threads = [threading.Thread(target=_accept, args=(listener, server, tls, stopped), daemon=True)]
    threads[0].start()
    try:
        yield server
    finally:
        stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        threads[0].join(2)


def _accept(
    listener: socket.socket, server: Loopback, tls: ssl.SSLContext | None, stopped: threading.Event
) -> None:
    while not stopped.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        server.connections += 1
        threading.Thread(target=_serve, args=(connection, server, tls, stopped), daemon=True).start()


def _serve(
    connection: socket.socket, server: Loopback, tls: ssl.SSLContext | None, stopped: threading.Event
) -> None:
    with suppress(OSError, ValueError), connection:  # ValueError: TLS where HTTP was expected
        connection.settimeout(HANG)
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while (seen := _read(stream)) is not None:
                server.seen.append(seen)
                if not _send(connection, server.answer(seen), stopped):
                    return


def _read(stream: Any) -> Seen | None:
    line = stream.readline().decode()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while (header := stream.readline().decode().strip()) != "":
        name, _, value = header.partition(": ")
        headers[name.title()] = f"{headers[name.title()]}, {value}" if name.title() in headers else value
    return Seen(method, target, headers, stream.read(int(headers.get("Content-Length", 0))))


def _send(connection: socket.socket, reply: Reply, stopped: threading.Event) -> bool:
    for piece in reply.pieces:
        if reply.pause and stopped.wait(reply.pause):
            return False
        connection.sendall(piece)
    if reply.hang:
        stopped.wait(HANG)
    return reply.keep


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fails when the block takes longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def refused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
