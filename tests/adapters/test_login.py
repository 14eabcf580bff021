"""Credentials that expire are fetched again, once; certificates are always checked."""

import ssl
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from runner.adapters.api_server import ApiServer, Request
from runner.adapters.credentials import REREAD, FromFile
from runner.adapters.login import Certificate, ExecPlugin, Login, TokenFile
from runner.adapters.wire import CutShortError, UntrustedError, WireError
from runner.errors import RunnerError
from runner.secrecy import Secret
from tests.adapters.api import REVIEWS, not_found, reviews, speaking_to, status
from tests.adapters.loopback import Reply, Seen, page, says, serving

TLS = Path(__file__).parent / "tls"
ASK = Request("GET", ("version",))


def only(token: str, answer: Reply):
    """A server that knows one token."""

    def reply(seen: Seen) -> Reply:
        if seen.headers.get("Authorization") == f"Bearer {token}":
            return answer
        return status(401, "Unauthorized", "Unauthorized")

    return reply


def test_a_token_that_was_rotated_is_read_again_after_a_401(tmp_path):
    file = tmp_path / "token"
    file.write_text("old\n")
    with speaking_to(only("old", says(200, reviews())), proof=TokenFile(str(file))) as spoken:
        spoken.cluster.get(REVIEWS)
        file.write_text("new\n")
        spoken.server.answer = only("new", says(201, reviews()))

        spoken.cluster.create(reviews())

    assert [seen.method for seen in spoken.calls] == ["GET", "POST", "POST"]


def test_a_token_that_is_refused_twice_stops(tmp_path):
    file = tmp_path / "token"
    file.write_text("old")

    refused = pytest.raises(RunnerError, match="does not accept these credentials")
    with speaking_to(only("new", says(200, {})), proof=TokenFile(str(file))) as spoken, refused:
        spoken.cluster.get(REVIEWS)


def test_a_token_file_is_read_again_every_minute(tmp_path):
    file = tmp_path / "token"
    now = [0.0]
    file.write_text("a")
    credential = FromFile(str(file), lambda: now[0])
    first = credential.headers()

    file.write_text("b")
    now[0] = REREAD - 1
    kept = credential.headers()
    now[0] = REREAD
    fresh = credential.headers()

    assert (first, kept, fresh) == (
        {"Authorization": "Bearer a"},
        {"Authorization": "Bearer a"},
        {"Authorization": "Bearer b"},
    )


@pytest.mark.parametrize("content", ["", " \n", None])
def test_a_token_file_without_a_token_is_an_error_in_words(tmp_path, content):
    if content is not None:
        (tmp_path / "token").write_text(content)

    with pytest.raises(RunnerError, match="token file"):
        FromFile(str(tmp_path / "token")).headers()


PLUGIN = """
import json, os, sys
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
counter = sys.argv[1]
count = int(open(counter).read() or 0) + 1 if os.path.exists(counter) else 1
open(counter, "w").write(str(count))
print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": {
    "token": "t%d" % count, **json.loads(sys.argv[2])}}))
"""


def plugin(tmp_path: Path, status: str = "{}", script: str = PLUGIN) -> ExecPlugin:
    (tmp_path / "plugin.py").write_text(script)
    arguments = (str(tmp_path / "plugin.py"), str(tmp_path / "count"), status)
    return ExecPlugin(sys.executable, "client.authentication.k8s.io/v1", arguments)


def test_a_plugin_is_asked_once_until_its_token_is_refused(tmp_path):
    with speaking_to(only("t1", says(200, reviews())), proof=plugin(tmp_path)) as spoken:
        spoken.cluster.get(REVIEWS)
        spoken.cluster.get(REVIEWS)
        spoken.server.answer = only("t2", says(200, reviews()))
        spoken.cluster.get(REVIEWS)

    assert (tmp_path / "count").read_text() == "2"


def test_a_plugin_may_take_no_arguments(tmp_path):
    program = tmp_path / "log-in"
    program.write_text(
        "#!/bin/sh\n"
        """echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential","""
        """ "status": {"token": "t1"}}'\n"""
    )
    program.chmod(0o700)
    proof = ExecPlugin(str(program), "client.authentication.k8s.io/v1", ())

    with speaking_to(only("t1", says(200, reviews())), proof=proof) as spoken:
        assert spoken.cluster.get(REVIEWS) is not None


def test_a_plugin_is_told_the_dates_of_its_clusters_extension(tmp_path):
    asked = replace(
        plugin(tmp_path), cluster={"server": "https://rig", "config": {"since": date(2026, 1, 2)}}
    )

    with speaking_to(only("t1", says(200, reviews())), proof=asked) as spoken:
        assert spoken.cluster.get(REVIEWS) is not None


def test_a_plugin_is_asked_again_when_its_token_ends(tmp_path):
    ended = '{"expirationTimestamp": "2000-01-01T00:00:00Z"}'

    with speaking_to(lambda _: says(200, reviews()), proof=plugin(tmp_path, ended)) as spoken:
        spoken.cluster.get(REVIEWS)

    assert spoken.calls[-1].headers["Authorization"] > "Bearer t1"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit('please log in')", "failed with code 1: please log in"),
        ("print('garbage')", "printed no client.authentication.k8s.io/v1 ExecCredential"),
        ('print(\'{"apiVersion": "v9", "kind": "ExecCredential", "status": {"token": "t"}}\')', "printed no"),
        ("import json; print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1'}))", "printed no"),
        ("print('[]')", "printed no"),
        ("print('[' * 100_000)", "printed no"),
    ],
)
def test_a_plugin_that_fails_is_an_error_in_words(tmp_path, script, words):
    with (
        speaking_to(not_found, proof=plugin(tmp_path, script=script)) as spoken,
        pytest.raises(RunnerError) as caught,
    ):
        spoken.cluster.get(REVIEWS)

    assert words in caught.value.message
    assert "run it by hand" in (caught.value.hint or "")


def test_impersonation_goes_out_with_every_call():
    groups = (("Impersonate-User", "dev"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"))

    with speaking_to(lambda _: says(200, reviews()), impersonate=groups) as spoken:
        spoken.cluster.get(REVIEWS)
        spoken.cluster.create(reviews())

    for seen in spoken.calls:
        assert (seen.headers["Impersonate-User"], seen.headers["Impersonate-Group"]) == ("dev", "a, b")


def server_side(*, ask_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    if ask_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(TLS / "authority.pem")
    return context


def asked(login: Login):
    server = ApiServer(login, deadline=1.0)
    try:
        return server.call(ASK)
    finally:
        server.close()


def test_a_server_with_the_clusters_certificate_is_trusted():
    authorities = (TLS / "authority.pem").read_text()

    with serving([page(200, b"{}")], server_side()) as server:
        assert asked(Login(server.url, authorities=authorities)).status == 200


def test_a_server_that_nobody_vouches_for_is_not_asked():
    with (
        serving([page(200, b"{}")], server_side()) as server,
        pytest.raises(UntrustedError, match="not trusted"),
    ):
        asked(Login(server.url))

    assert server.seen == []


def test_a_certificate_for_another_host_is_not_trusted():
    authorities = (TLS / "authority.pem").read_text()
    with serving([page(200, b"{}")], server_side()) as server, pytest.raises(UntrustedError):
        asked(Login(server.url, authorities=authorities, tls_server_name="kubernetes.example"))

    assert server.seen == []


@pytest.mark.parametrize(("proxy", "why"), [("socks5://127.0.0.1:9", "SOCKS"), ("ftp://127.0.0.1:9", "none")])
def test_a_proxy_that_is_not_spoken_to_is_refused_before_anything_is_sent(proxy, why):
    with pytest.raises(RunnerError, match=f"the proxy of this cluster cannot be used: .*{why}"):
        asked(Login("https://127.0.0.1:9", proxy=Secret(proxy)))


def test_a_plain_server_is_not_spoken_to_in_tls():
    with serving([page(200, b"{}")]) as server, pytest.raises((UntrustedError, CutShortError)):
        asked(Login(server.url.replace("http:", "https:")))


def test_verification_is_skipped_only_when_the_login_says_so():
    with serving([page(200, b"{}")], server_side()) as server:
        assert asked(Login(server.url, verified=False)).status == 200


def test_a_client_certificate_is_shown_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    certificate = Certificate((TLS / "client.pem").read_text(), Secret((TLS / "client.key").read_text()))
    authorities = (TLS / "authority.pem").read_text()

    with serving([page(200, b"{}")], server_side(ask_client=True)) as server:
        assert asked(Login(server.url, authorities=authorities, certificate=certificate)).status == 200

    assert list(tmp_path.iterdir()) == []


def test_a_client_without_the_certificate_gets_nothing():
    authorities = (TLS / "authority.pem").read_text()

    with serving([page(200, b"{}")], server_side(ask_client=True)) as server:
        with pytest.raises(WireError):  # TLS 1.3 refuses late: an alert, or a connection that is gone
            asked(Login(server.url, authorities=authorities))

        assert server.seen == []


def test_a_broken_certificate_is_an_error_in_words():
    with pytest.raises(RunnerError, match="cannot be used"):
        asked(
            Login(
                "https://127.0.0.1:1",
                authorities="-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----",
            )
        )
