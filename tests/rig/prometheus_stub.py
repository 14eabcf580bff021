"""A Prometheus that says what it is told to: the canary is well, or every answer of it is an error."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

REQUESTS = 1000


class Stub:
    """Answers the ratio of `disturbed.yaml`, and when its samples were taken: now."""

    def __init__(self, *, bad: bool) -> None:
        errors = REQUESTS if bad else 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                asked = self.rfile.read(length).decode() or urllib.parse.urlsplit(self.path).query
                self._answer(urllib.parse.parse_qs(asked)["query"][0])

            do_POST = do_GET

            def _answer(self, query: str) -> None:
                value = (
                    time.time() if "timestamp(" in query else errors if "response_code" in query else REQUESTS
                )
                sample = {"metric": {}, "value": [time.time(), str(value)]}
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [sample]}})
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has there
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
