"""Which Prometheus is asked, by which way, and who sees its credentials."""

from dataclasses import replace

import pytest

from runner.adapters.metrics_source import Direct, Proxied, Service, Surroundings, source_named, way_to
from runner.adapters.prometheus import Prometheus
from runner.document.config import load_config
from runner.errors import RunnerError
from runner.model.config import Config, MetricsSource
from runner.model.evidence import NoAnswer, Sample
from tests.adapters.api import discovering, not_found, speaking_to, status
from tests.adapters.loopback import Reply, Seen, says, serving
from tests.adapters.prometheus import NOW, Noon, vector


def test_credentials_go_to_their_named_source(tmp_path):
    for name, content in {"token": "t0k\n", "headers": "X-Scope-OrgID: shop\n\nX-B: c\n"}.items():
        (tmp_path / name).write_text(content)
    with serving([vector(), vector()]) as server:
        source = MetricsSource(
            "prod", server.url, str(tmp_path / "token"), headers_file=str(tmp_path / "headers")
        )
        prometheus = Prometheus(Direct(source_named("prod", Config("c", (source,)))), Noon())
        prometheus.query("1", NOW)
        (tmp_path / "token").write_text("rotated")
        prometheus.query("1", NOW)

    assert [seen.headers["Authorization"] for seen in server.seen] == ["Bearer t0k", "Bearer rotated"]
    assert server.seen[0].headers["X-Scope-Orgid"] == "shop"


def test_a_url_never_gets_the_credentials_of_the_source_that_has_it(tmp_path):
    (tmp_path / "auth").write_text("me:pass")
    with serving([vector(), vector()]) as server:
        source = MetricsSource("prod", server.url, basic_auth_file=str(tmp_path / "auth"))
        config = Config("c", (source,))
        Prometheus(Direct(source_named(server.url, config)), Noon()).query("1", NOW)
        Prometheus(Direct(source_named("prod", config)), Noon()).query("1", NOW)

    assert [seen.headers.get("Authorization") for seen in server.seen] == [None, "Basic bWU6cGFzcw=="]


def test_environment_and_netrc_are_not_consulted(tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password p")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    with serving([vector()]) as server:
        Prometheus(Direct(MetricsSource("p", server.url)), Noon()).query("1", NOW)

    assert "Authorization" not in server.seen[0].headers


@pytest.mark.parametrize("content", [None, "no colon here"])
def test_credentials_that_cannot_be_read_are_no_answer(tmp_path, content):
    if content:
        (tmp_path / "headers").write_text(content)
    source = MetricsSource("prod", "http://127.0.0.1:9", headers_file=str(tmp_path / "headers"))

    assert "prod" in Prometheus(Direct(source), Noon()).query("1", NOW).reason


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("prd", "no metrics source", 'did you mean "prod"?'),
        ("staging-eu", "no metrics source", "staging-eu: {url:"),
        ("ftp://x", "no address", "http://"),
        ("http://", "no address", "http://"),
        ("http://me:p@x", "holds no password", "basicAuthFile"),
        ("bare", "would travel unencrypted", "insecure: true"),
    ],
)
def test_a_source_that_cannot_be_used_says_what_to_write(text, words, hint):
    config = Config(
        "c", (MetricsSource("prod", "https://p"), MetricsSource("bare", "http://p", token_file="t"))
    )

    with pytest.raises(RunnerError) as caught:
        source_named(text, config)

    assert words in caught.value.message
    assert hint in (caught.value.hint or "")


def test_lines_for_a_config_that_is_not_there_yet_make_one(tmp_path):
    file = tmp_path / "config.yaml"
    with pytest.raises(RunnerError) as caught:
        source_named("prod", Config(str(file)))

    file.write_text(str(caught.value.hint).partition(":\n")[2])

    assert load_config(file).source("prod") is not None


def test_the_operator_may_send_credentials_unencrypted():
    source = MetricsSource("bare", "http://p", token_file="t", insecure=True)

    assert source_named("bare", Config("c", (source,))) == source


def test_the_addresses_of_cloud_credentials_are_never_asked():
    answer = Prometheus(Direct(MetricsSource("p", "http://169.254.169.254"), deadline=0.3), Noon()).query(
        "1", NOW
    )

    assert isinstance(answer, NoAnswer)


IN_CLUSTER = MetricsSource("url", "http://prometheus.istio-system:9090/prom")


def cluster_with_prometheus(seen: Seen) -> Reply:
    match seen.path:
        case "/api/v1/namespaces/istio-system/services/prometheus":
            return says(200, {"kind": "Service", "metadata": {"name": "prometheus"}})
        case "/api/v1/namespaces/istio-system/services/http:prometheus:9090/proxy/prom/api/v1/query":
            return vector(({}, "3"))
        case _:
            return not_found(seen)


def test_a_service_that_does_not_resolve_here_is_asked_through_the_api_server_and_that_is_said():
    said: list[str] = []
    with speaking_to(cluster_with_prometheus) as spoken:
        around = Surroundings(spoken.cluster, spoken.api, "bookinfo", said.append)
        source = way_to(IN_CLUSTER, around, resolves=lambda _: False)
        answer = Prometheus(source, Noon()).query("1", NOW)

    assert answer.samples == (Sample({}, 3.0, NOW),)
    assert said == [
        "prometheus.istio-system does not resolve here; it is asked through the API server's service proxy"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://prometheus.istio-system.svc:9090",
        "http://prometheus.istio-system.svc.cluster.local:9090",
        "https://prometheus.istio-system",
    ],
)
def test_every_name_of_a_service_is_known(url):
    with speaking_to(cluster_with_prometheus) as spoken:
        around = Surroundings(spoken.cluster, spoken.api, "bookinfo", str)

        assert isinstance(way_to(MetricsSource("u", url), around, lambda _: False), Proxied)


@pytest.mark.parametrize(
    ("source", "resolves"),
    [
        (IN_CLUSTER, True),
        (MetricsSource("u", "http://prometheus.example.com:9090"), False),
        (MetricsSource("u", "http://thanos.istio-system:9090"), False),
        (replace(IN_CLUSTER, token_file="t"), False),
    ],
    ids=["resolves", "another domain", "no such Service", "credentials of its own"],
)
def test_everything_else_is_asked_directly(source, resolves):
    with speaking_to(cluster_with_prometheus) as spoken:
        around = Surroundings(spoken.cluster, spoken.api, "bookinfo", str)

        assert isinstance(way_to(source, around, lambda _: resolves), Direct)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            status(403, "Forbidden", 'services "prometheus" is forbidden: cannot get services/proxy'),
            "services/proxy",
        ),
        (
            status(503, "ServiceUnavailable", 'no endpoints available for service "prometheus"'),
            "no endpoints",
        ),
        (says(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}), "parse error"),
        (vector(*[({"i": "x" * 1000}, "1") for _ in range(70)]), "larger than 64 KiB"),
    ],
)
def test_a_service_proxy_that_fails_says_why(reply, words):
    with serving(discovering(lambda _: reply)) as server, speaking_to([]) as spoken:
        spoken.now_at(server.url)
        source = Proxied(spoken.api, Service("istio-system", "prometheus", "http", 9090))
        answer = Prometheus(source, Noon()).query("1", NOW)

    assert isinstance(answer, NoAnswer)
    assert words in answer.reason
