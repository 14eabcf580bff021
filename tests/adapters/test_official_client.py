"""What the official client does by itself when a credential ends: the reasons for our own credentials.

When one of these fails after an upgrade, the client has changed, and `runner.adapters.credentials` may have
become superfluous (docs/adr).
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient, Configuration, VersionApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config_dict
from kubernetes.config.incluster_config import InClusterConfigLoader

from tests.adapters.loopback import Loopback, Reply, Seen, says, serving
from tests.adapters.test_login import PLUGIN, TLS, only, server_side

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0"} | dict.fromkeys(
    ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"), ""
)


def known(token: str) -> Any:
    """A server that knows one token, however the client capitalises `Bearer`."""
    answer = only(token, says(200, VERSION))

    def reply(seen: Seen) -> Reply:
        said = seen.headers.get("Authorization", "").replace("bearer ", "Bearer ")
        return answer(Seen(seen.method, seen.target, {"Authorization": said}, seen.body))

    return reply


def client(server: Loopback, user: dict[str, Any], folder: Path) -> ApiClient:
    """The official client as its own loader sets it up."""
    config = {
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": server.url}}],
        "users": [{"name": "x", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    return new_client_from_config_dict(config, temp_file_path=str(folder))


def exec_user(folder: Path, **status: str) -> dict[str, Any]:
    (folder / "plugin.py").write_text(PLUGIN)
    arguments = [str(folder / "plugin.py"), str(folder / "count"), json.dumps(status)]
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"command": sys.executable, "apiVersion": version, "args": arguments, "env": None}}


def test_it_never_asks_a_plugin_again_after_a_401(tmp_path: Path) -> None:
    with serving(known("t1")) as server:
        official = client(server, exec_user(tmp_path), tmp_path)
        VersionApi(official).get_code()
        server.answer = known("t2")
        for _ in range(2):
            with pytest.raises(ApiException, match="401"):
                VersionApi(official).get_code()

    assert (tmp_path / "count").read_text() == "1"


def test_it_asks_a_plugin_again_only_when_the_clock_says_so(tmp_path: Path) -> None:
    with serving(lambda _: says(200, VERSION)) as server:
        official = client(server, exec_user(tmp_path, expirationTimestamp="2000-01-01T00:00:00Z"), tmp_path)
        VersionApi(official).get_code()

    assert int((tmp_path / "count").read_text()) > 1


def test_it_reads_a_token_file_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    with serving(known("old")) as server:
        official = client(server, {"tokenFile": str(file)}, tmp_path)
        VersionApi(official).get_code()
        file.write_text("new")
        server.answer = known("new")
        for _ in range(2):
            with pytest.raises(ApiException, match="401"):
                VersionApi(official).get_code()

    assert {seen.headers["Authorization"] for seen in server.seen} == {"Bearer old"}


def test_it_repeats_a_write_whose_outcome_is_unknown() -> None:
    with serving(lambda _: Reply([])) as server:
        official = ApiClient(Configuration(host=server.url))
        with pytest.raises(Exception, match="Max retries"):
            official.call_api("PUT", f"{server.url}/x", {}, {"a": 1})

    assert [seen.method for seen in server.seen] == ["PUT"] * 4


def test_in_a_pod_it_reads_a_projected_token_again_only_after_a_minute(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    with serving(known("old"), server_side()) as server:
        host, port = server.url.removeprefix("https://").split(":")
        environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        loader = InClusterConfigLoader(str(file), str(TLS / "authority.pem"), environ=environment)
        loader.load_and_set(configuration := Configuration())
        official = ApiClient(configuration)
        VersionApi(official).get_code()
        file.write_text("new")
        server.answer = known("new")
        with pytest.raises(ApiException, match="401"):
            VersionApi(official).get_code()
        loader.token_expires_at -= timedelta(minutes=1)
        VersionApi(official).get_code()
