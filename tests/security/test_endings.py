"""A credential that ends before the run does is said before the run, and noticed while a run waits."""

import base64
import json
import signal
import time
from pathlib import Path

import pytest

from runner.adapters import lease
from runner.adapters.credentials import credential_for
from runner.adapters.expiry import ending_of
from runner.adapters.login import Token, TokenFile
from runner.adapters.metrics_source import ending_at
from runner.cli.entry import run
from runner.document.playbook import read_playbook
from runner.model.config import MetricsSource
from runner.ports import Ending
from runner.secrecy import Secret
from tests.adapters.api import status
from tests.adapters.loopback import Reply, Seen
from tests.adapters.test_login import plugin
from tests.fakes import api_server
from tests.fakes.api_server import cluster_of

BOOK = """
apiVersion: runner/v1
kind: Playbook
metadata: {name: small, version: 1.0.0}
target: {namespace: bookinfo, context: test}
routes:
  reviews: {virtualService: reviews, stable: v1, canary: v3}
stages:
  - name: a little
    shift: {route: reviews, canary: 20, ready: READY}
  - name: a long soak
    wait: WAIT
"""


def jwt(**claims: object) -> str:
    """A token as an API server gives it; nobody here looks at the signature."""
    parts = ({"alg": "RS256"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


@pytest.mark.parametrize(
    ("token", "at"),
    [
        (jwt(exp=1_800_000_000), 1_800_000_000.0),
        (jwt(exp=1_800_000_000.5), 1_800_000_000.5),
        (jwt(), None),
        (jwt(exp="soon"), None),
        (jwt(exp=True), None),
        (jwt(exp=float("inf")), None),
        ("opaque", None),
        ("a.b.c", None),
        ("a.%%%.c", None),
        ("a..c", None),
        (f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c", None),
        (f"a.{base64.urlsafe_b64encode(b'[' * 9999).decode()}.c", None),
    ],
)
def test_a_token_says_when_it_ends_or_nothing(token: str, at: float | None) -> None:
    found = ending_of(Secret(token), "the token")

    assert (found.at if found else None) == at


def test_every_kind_of_credential_is_asked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(jwt(exp=5) + "\n")
    file = str(tmp_path / "token")
    ended = '{"expirationTimestamp": "2030-01-01T00:00:00Z"}'

    assert credential_for(Token(Secret(jwt(exp=5)))).ending() == Ending("the token of the kubeconfig", 5.0)
    assert credential_for(TokenFile(file)).ending() == Ending(f"the token in {file}", 5.0)
    assert credential_for(None).ending() is None
    of_plugin = credential_for(plugin(tmp_path, ended)).ending()
    assert (of_plugin.at, of_plugin.renewed) == (1893456000.0, "the plugin")
    assert credential_for(plugin(tmp_path)).ending() is None
    assert ending_at(MetricsSource("prod", "https://p", token_file=file)).at == 5.0
    assert ending_at(MetricsSource("prod", "https://p")) is None


def test_a_token_of_a_pod_is_renewed_by_its_kubelet(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(jwt(exp=5, **{"kubernetes.io": {"pod": {"name": "runner"}}}))

    assert credential_for(TokenFile(str(tmp_path / "token"))).ending().renewed == "the kubelet"


MORE = {"play": ["-y", "--until", "a little"], "plan": []}


@pytest.fixture
def play(tmp_path, tmp_path_factory, capfd, monkeypatch):
    """Plays to its first stage with a token that ends in so many seconds: the code, what was said, what was asked."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def playing(seconds: float, *, wait: str = "1h", ready: str = "1s", command: str = "play"):
        file = tmp_path / "small.yaml"
        file.write_text(BOOK.replace("WAIT", wait).replace("READY", ready))
        playbook = read_playbook(str(file)).playbook
        token = jwt(exp=time.time() + seconds)
        with cluster_of(playbook, tmp_path_factory.mktemp("operator"), time.time(), token) as (
            server,
            kubeconfig,
        ):
            code = run([command, str(file), "--kubeconfig", str(kubeconfig), *MORE[command]])
        said = "".join(capfd.readouterr())
        assert token not in said
        return code, said, server.seen

    return playing


@pytest.mark.parametrize("seconds", [-3600, 3])
def test_a_token_that_is_over_is_said_before_anything_is_written(play, seconds):
    code, said, seen = play(seconds)

    assert code == 1
    assert "error: the token of the kubeconfig end" in said
    assert "hint: log in again and repeat the command: it has touched nothing" in said
    assert [request for request in seen if request.method != "GET"] == []


def test_a_token_that_ends_in_a_wait_is_said_before_the_run(play):
    code, said, _ = play(1800)

    assert code == 0
    assert "warning: the token of the kubeconfig ends in 29m" in said or "ends in 30m" in said
    assert "in the middle of stage 'a long soak'" in said


def test_a_run_that_is_resumed_is_held_against_what_is_left_of_it(
    tmp_path, tmp_path_factory, capfd, monkeypatch
):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "small.yaml"
    file.write_text(BOOK.replace("WAIT", "1s").replace("READY", "1h"))
    playbook = read_playbook(str(file)).playbook
    token = jwt(exp=time.time() + 1800)
    with cluster_of(playbook, tmp_path_factory.mktemp("operator"), time.time(), token) as (_, kubeconfig):
        codes = [
            run([*words, "-y", "--kubeconfig", str(kubeconfig)])
            for words in (["play", str(file), "--until", "a little"], ["resume"])
        ]

    said = "".join(capfd.readouterr())
    assert codes == [0, 0]
    # Of `play`: the hour may pass before the shift.
    assert said.count("note: the token of the kubeconfig ends") == 1


def test_a_token_that_may_end_in_a_run_that_takes_long_is_a_note(play):
    _, said, _ = play(1800, wait="1s", ready="1h")

    assert "note: the token of the kubeconfig ends in" in said
    assert "as in stage 'a little'" in said
    assert "warning: the token" not in said


def test_a_token_that_outlives_the_run_is_not_spoken_of(play):
    _, said, _ = play(86_400)

    assert "the token of the kubeconfig" not in said


class Expiring(api_server.Server):
    """Accepts the token until traffic has been moved."""

    def answer(self, seen: Seen) -> Reply:
        if any(each.method == "PUT" and "/virtualservices/" in each.path for each in self.seen):
            return status(401, "Unauthorized", "Unauthorized")
        return super().answer(seen)


def test_a_token_that_ends_in_a_long_wait_is_noticed_in_the_wait(
    tmp_path, tmp_path_factory, capfd, monkeypatch
):
    """The lease is renewed all the time: nobody waits an hour for the news that it was refused."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lease, "FRESH", 1.0)
    monkeypatch.setattr(api_server, "Server", Expiring)
    file = tmp_path / "small.yaml"
    file.write_text(BOOK.replace("WAIT", "1h").replace("READY", "1s"))
    playbook = read_playbook(str(file)).playbook
    with api_server.cluster_of(playbook, tmp_path_factory.mktemp("operator"), time.time()) as (_, kubeconfig):
        signal.alarm(60)  # interrupts the run, should it go on waiting
        code = run(["play", str(file), "-y", "--kubeconfig", str(kubeconfig)])
        signal.alarm(0)

    said = "".join(capfd.readouterr())
    assert code == 1
    assert "does not accept these credentials" in said
    assert "runner resume" in said


def test_a_plan_says_that_the_token_ends_in_the_run(play):
    code, said, _ = play(1800, command="plan")

    assert code == 0
    assert "warning: the token of the kubeconfig ends in " in said
    assert "in the middle of stage 'a long soak'" in said
    assert "Next: runner play" in said
