"""Whom `runner` speaks to, with which credentials, and that nobody else can send it elsewhere or keep it waiting."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.adapters.api_server import ApiServer, Request
from runner.adapters.login import Login, Token
from runner.adapters.metrics_source import Direct, source_named
from runner.adapters.prometheus import Prometheus
from runner.adapters.wire import WireError, keeps_credentials
from runner.errors import RunnerError
from runner.model.config import Config, MetricsSource
from runner.model.evidence import NoAnswer
from runner.secrecy import Secret
from tests.adapters.loopback import Reply, page, serving
from tests.fakes.world import NOON, FakeClock

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases/addresses.yaml").read_text())
ASK = Request("GET", ("version",))
TOKEN = "hunter2-SECRET"


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['url']}{' with a token' * ('token' in case)}"
)
def test_an_address_is_asked_or_refused_in_words(case: dict[str, Any]) -> None:
    token = "/nowhere/token" if case.get("token") else None
    source = MetricsSource("prod", case["url"], token_file=token, insecure=case.get("insecure", False))
    named = "prod" if token else case["url"]

    with pytest.raises(RunnerError) if "says" in case else contextlib.nullcontext() as caught:
        source_named(named, Config("c", (source,)))

    if caught is not None:
        assert case["says"] in caught.value.message
        assert TOKEN not in caught.value.message + str(caught.value.hint)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("169.254.169.254", True),
        ("169.254.0.1", True),
        ("fe80::a9fe:a9fe", True),
        ("fe80::1%eth0", True),
        ("::ffff:169.254.169.254", True),
        ("64:ff9b::a9fe:a9fe", True),
        ("2002:a9fe:a9fe::1", True),
        ("fd00:ec2::254", True),
        ("fd20:ce::254", True),
        ("100.100.100.200", True),
        ("::ffff:100.100.100.200", True),
        ("168.63.129.16", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("192.0.2.1", False),
        ("::ffff:10.0.0.1", False),
        ("2001:db8::1", False),
    ],
)
def test_the_places_of_cloud_credentials_are_known_however_they_are_written(address: str, kept: bool) -> None:
    assert keeps_credentials(address) is kept


IN_A_CLOUD = """
import http.server, threading
from runner.adapters.metrics_source import Direct
from runner.adapters.prometheus import Prometheus
from runner.model.config import MetricsSource
from tests.fakes.world import NOON, FakeClock
asked = []
class Metadata(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_error(404)
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("169.254.169.254", 80), Metadata)
threading.Thread(target=server.serve_forever, daemon=True).start()
for host in ("169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]"):
    print(Prometheus(Direct(MetricsSource("url", f"http://{host}")), FakeClock()).query("up", NOON).reason)
source = MetricsSource("prod", "http://169.254.169.254", headers_file="headers", insecure=True)
print(Prometheus(Direct(source), FakeClock()).query("up", NOON).reason)
print(asked)
"""


def networks_of_its_own() -> bool:
    return all(map(shutil.which, ("unshare", "ip"))) and not subprocess.call(
        ["unshare", "-n", "ip", "link", "set", "lo", "up"], stderr=subprocess.DEVNULL
    )


@pytest.mark.skipif(
    not networks_of_its_own(), reason="no network of its own: needs unshare, ip, and the right to them"
)
def test_a_machine_that_keeps_credentials_there_is_connected_to_and_told_nothing(tmp_path: Path) -> None:
    """In a network of its own, where 169.254.169.254 answers; a source that the operator named is asked."""
    (tmp_path / "headers").write_text("X-A: b\n")
    setup = 'ip link set lo up && ip addr add 169.254.169.254/32 dev lo && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", setup, sys.executable, IN_A_CLOUD],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
    )

    *refused, named, asked = done.stdout.splitlines()
    assert len(refused) == 5
    assert all("it is never asked" in line for line in refused), refused
    assert "404" in named
    assert asked.startswith("['/api/v1/query?") and asked.count("/api") == 1


def api(url: str, deadline: float = 0.5) -> ApiServer:
    return ApiServer(Login(url, Token(Secret(TOKEN))), deadline=deadline)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_goes_to_its_server_and_to_no_other(status: int, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with serving([page(200, b"{}")]) as elsewhere:
        moved = page(status, b"", Location=f"{elsewhere.url}/steal")
        with serving([moved, moved]) as server:
            answer = api(server.url).call(ASK)
            source = MetricsSource("prod", server.url, token_file=str(tmp_path / "token"))
            said = Prometheus(Direct(source), FakeClock()).query("up", NOON)

    assert elsewhere.seen == []
    assert answer.status == status
    assert isinstance(said, NoAnswer)
    assert "redirects are not followed" in said.reason
    assert [seen.headers["Authorization"] for seen in server.seen] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_what_stays_on_this_machine_goes_through_no_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([page(200, b"{}")]) as proxy, serving([page(200, b"{}"), page(200, b"{}")]) as server:
        monkeypatch.setenv(name, proxy.url)

        assert api(server.url).call(ASK).status == 200
        Prometheus(Direct(MetricsSource("url", server.url)), FakeClock()).query("up", NOON)

    assert proxy.seen == []
    assert len(server.seen) == 2


def drip() -> Reply:
    """A byte now and then, for ever."""
    return Reply([b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n", *([b"x"] * 1000)], pause=0.05)


def flood() -> Reply:
    """More than anybody wants, without saying how much."""
    return Reply([b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", *([b"x" * 65_536] * 400)])


def bombed() -> Reply:
    """Little on the wire, and much when it is unpacked."""
    import gzip

    body = gzip.compress(b"\0" * 200 * 1024 * 1024, 9)
    head = f"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    return Reply([head.encode() + body])


@pytest.mark.parametrize("answer", [drip, flood, bombed])
def test_no_answer_takes_longer_or_more_than_it_may(answer: Any) -> None:
    """The deadline is that of the whole call, and what is unpacked counts as what came."""
    with serving([answer(), answer()]) as server:
        began = time.monotonic()
        with pytest.raises(WireError):
            api(server.url, deadline=0.5).call(ASK)
        said = Prometheus(Direct(MetricsSource("url", server.url), deadline=0.5), FakeClock()).query(
            "up", NOON
        )

    assert isinstance(said, NoAnswer)
    assert time.monotonic() - began < 15


def test_headers_without_end_are_no_answer() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(5_000))
    long = b"X: " + b"y" * 1_000_000 + b"\r\n"
    for headers in (many, long):
        with (
            serving([Reply([b"HTTP/1.1 200 X\r\n" + headers + b"\r\n{}"])]) as server,
            pytest.raises(WireError),
        ):
            api(server.url).call(ASK)


def test_no_setting_of_a_playbook_turns_off_the_check_of_a_certificate() -> None:
    """Certificates go unverified only where the operator's Config names the server."""
    schemas = HERE.parents[1] / "schemas"
    for name in ("playbook", "scenario"):
        text = (schemas / f"{name}.v1.schema.json").read_text().lower()
        assert not [word for word in ("insecure", "skip-tls", "verifyssl", "tlsverify") if word in text]
    config = json.loads((schemas / "config.v1.schema.json").read_text())
    assert "insecureServers" in config["properties"]
