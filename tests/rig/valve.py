"""A connection that a test can shut: between `runner` and the API server, or between it and Prometheus."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.parse
from pathlib import Path
from types import TracebackType
from typing import Self


class Valve:
    """Listens on loopback and copies to and from a target; shut, it refuses and cuts what is open."""

    def __init__(self, target: str) -> None:
        parts = urllib.parse.urlsplit(target)
        self._scheme = parts.scheme
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener: socket.socket | None = None
        self._joined: set[socket.socket] = set()
        self._port = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """What to give to `runner` in place of the target."""
        return f"{self._scheme}://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=64)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        with self._lock:
            for one in (self._listener, *self._joined):
                if one is not None:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
                    one.close()
            self._joined.clear()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._joined |= {client, server}
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()
        for one in (client, server):
            self._joined.discard(one)
            one.close()


def kubeconfig_through(valve: Valve, kubeconfig: str, folder: Path) -> str:
    """A copy of the rig's kubeconfig whose server is the valve."""
    document = json.loads(Path(kubeconfig).read_text())
    document["clusters"][0]["cluster"]["server"] = valve.url
    path = folder / "kubeconfig-through-valve"
    path.write_text(json.dumps(document))
    return str(path)


def _copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)
