"""The kubeconfig is read as kubectl reads it, and allows no more than the operator does."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from runner.adapters.kubeconfig import Choice, connect
from runner.adapters.login import Certificate, ExecPlugin, Password, Token, TokenFile
from runner.errors import RunnerError
from runner.model.config import Config
from runner.secrecy import Secret

CONFIG = Config(file="/home/me/.config/runner/config.yaml")


def written(path: Path, **changes: object) -> Path:
    """A kubeconfig with one context `rig`; *changes* replace whole keys."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "rig",
        "contexts": [
            {"name": "rig", "context": {"cluster": "rig", "user": "admin", "namespace": "bookinfo"}}
        ],
        "clusters": [{"name": "rig", "cluster": {"server": "https://rig:6443/"}}],
        "users": [{"name": "admin", "user": {"token": "s3cret"}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content | changes))
    return path


def with_user(path: Path, **user: object) -> Path:
    return written(path, users=[{"name": "admin", "user": user}])


def with_cluster(path: Path, **cluster: object) -> Path:
    return written(path, clusters=[{"name": "rig", "cluster": {"server": "https://rig:6443"} | cluster}])


def connected(path: Path, config: Config = CONFIG, **choice: str):
    return connect(
        Choice(kubeconfig=str(path), **choice), config, {"PATH": str(path.parent), "HOME": "/nowhere"}
    )


def test_a_connection_says_where_and_as_whom_and_never_with_what(tmp_path):
    found = connected(written(tmp_path / "config"))

    assert (found.context, found.server, found.namespace, found.user) == (
        "rig",
        "https://rig:6443",
        "bookinfo",
        "admin",
    )
    assert found.login.proof == Token(Secret("s3cret"))
    assert "s3cret" not in repr(found) + repr(found.login)


def test_the_command_lines_namespace_wins_over_the_contexts(tmp_path):
    assert connected(written(tmp_path / "config"), namespace="shop").namespace == "shop"


def test_the_first_file_of_several_wins_and_keeps_its_own_paths(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ca.pem").write_text("BEGIN")
    first = written(tmp_path / "a" / "config", clusters=[], users=[])
    second = written(
        tmp_path / "b" / "config",
        **{"current-context": "other"},
        clusters=[
            {"name": "rig", "cluster": {"server": "https://b:6443", "certificate-authority": "ca.pem"}}
        ],
        users=[{"name": "admin", "user": {"tokenFile": "token"}}],
    )

    found = connect(
        Choice(), CONFIG, {"KUBECONFIG": f"{first}:{tmp_path}/missing:{second}", "HOME": "/nowhere"}
    )

    assert (found.context, found.server) == ("rig", "https://b:6443")
    assert found.login.proof == TokenFile(str(tmp_path / "b" / "token"))
    assert found.login.authorities == "BEGIN"


def test_without_kubeconfig_the_one_of_the_home_folder_is_read(tmp_path):
    written(tmp_path / ".kube" / "config")

    assert connect(Choice(), CONFIG, {"HOME": str(tmp_path)}).context == "rig"


def test_a_wrong_context_names_those_there_are(tmp_path):
    with pytest.raises(RunnerError) as caught:
        connected(written(tmp_path / "config"), context="rigg")

    assert f'there is no context "rigg" in {tmp_path / "config"}; it has "rig"' in caught.value.message
    assert caught.value.hint == 'did you mean "rig"?'


def test_no_current_context_is_never_guessed(tmp_path):
    with pytest.raises(RunnerError, match="no context is current") as caught:
        connected(written(tmp_path / "config", **{"current-context": ""}))

    assert caught.value.hint == "choose one with --context NAME"


def test_no_kubeconfig_at_all_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(RunnerError, match=str(tmp_path)) as caught:
        connect(Choice(), CONFIG, {"HOME": str(tmp_path)}, pod=tmp_path)

    assert "--sandbox" in (caught.value.hint or "")


def in_a_pod(folder: Path) -> dict[str, str]:
    (folder / "token").write_text("t")
    (folder / "ca.crt").write_text("BEGIN")
    (folder / "namespace").write_text("shop")
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443", "HOME": "/nowhere"}


def test_in_a_pod_its_service_account_is_used(tmp_path):
    found = connect(Choice(), CONFIG, in_a_pod(tmp_path), pod=tmp_path)

    assert (found.context, found.server, found.namespace) == ("in-cluster", "https://10.0.0.1:443", "shop")
    assert found.login.proof == TokenFile(str(tmp_path / "token"))


def test_a_pods_user_whom_the_machine_does_not_know_has_no_home_to_look_in(tmp_path, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    environ = in_a_pod(tmp_path)
    del environ["HOME"]

    assert connect(Choice(), CONFIG, environ, pod=tmp_path).context == "in-cluster"
    with pytest.raises(RunnerError, match="no home is known"):
        connect(Choice(), CONFIG, {}, pod=tmp_path)


@pytest.mark.parametrize("absent", ["token", "KUBERNETES_SERVICE_HOST"])
def test_half_a_pod_is_no_pod(tmp_path, absent):
    environ = in_a_pod(tmp_path)
    environ.pop(absent, None)
    if absent == "token":
        (tmp_path / "token").unlink()

    with pytest.raises(RunnerError, match="no kubeconfig"):
        connect(Choice(), CONFIG, environ, pod=tmp_path)


def test_a_kubeconfig_in_a_pod_wins_over_the_service_account(tmp_path):
    environ = in_a_pod(tmp_path) | {"KUBECONFIG": str(written(tmp_path / "config"))}

    assert connect(Choice(), CONFIG, environ, pod=tmp_path).context == "rig"


def test_an_unverified_server_needs_the_operators_word(tmp_path):
    path = with_cluster(tmp_path / "config", **{"insecure-skip-tls-verify": True})

    with pytest.raises(RunnerError) as caught:
        connected(path)
    allowed = connected(path, replace(CONFIG, insecure_servers=("https://rig:6443",)))

    assert "insecureServers: [https://rig:6443]" in (caught.value.hint or "")
    assert allowed.login.verified is False


@pytest.mark.parametrize(
    ("server", "because"),
    [
        ("http://rig:8080", "is plain http"),
        ("rig:6443", "no usable server"),
        ("", "no usable server"),
        ("ftp://rig", "no usable server"),
    ],
)
def test_an_address_that_could_be_listened_to_is_refused(tmp_path, server, because):
    with pytest.raises(RunnerError, match=because):
        connected(with_cluster(tmp_path / "config", server=server))


def test_plain_http_is_for_kubectl_proxy_on_this_machine(tmp_path):
    assert connected(with_cluster(tmp_path / "config", server="http://127.0.0.1:8001")).server.startswith(
        "http:"
    )


def plugin(tmp_path: Path, **more: object) -> Path:
    (tmp_path / "login-plugin").touch(mode=0o755)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "login-plugin", "args": ["token"]}
    return with_user(tmp_path / "config", exec=command | more)


def test_a_plugin_is_not_started_unless_the_operator_allows_it(tmp_path):
    with pytest.raises(RunnerError, match="nobody has allowed that") as caught:
        connected(plugin(tmp_path))

    assert f"execPlugins:\n  - {tmp_path}/login-plugin" in (caught.value.hint or "")


def test_an_allowed_plugin_is_named_by_its_absolute_path(tmp_path):
    config = replace(CONFIG, exec_plugins=(f"{tmp_path}/login-plugin",))

    found = connected(plugin(tmp_path, env=[{"name": "PROFILE", "value": "prod"}]), config)

    assert found.login.proof == ExecPlugin(
        f"{tmp_path}/login-plugin", "client.authentication.k8s.io/v1", ("token",), (("PROFILE", "prod"),)
    )


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"apiVersion": "v9"}, 'speaks "v9"'),
        ({"interactiveMode": "Always"}, "wants a terminal"),
        ({"command": "missing"}, "missing"),
        ({"env": ["x"]}, '"env"'),
        ({"command": 7}, '"command"'),
        ({"command": "login\0"}, '"command"'),
        ({"args": 7}, '"args"'),
        ({"args": ["\0"]}, "U[+]0000"),
        ({"env": [{"name": "A", "value": "\0"}]}, "U[+]0000"),
        ({"env": [{"name": "A=B", "value": "x"}]}, "no variable can have"),
    ],
)
def test_a_plugin_that_cannot_work_is_refused(tmp_path, more, because):
    with pytest.raises(RunnerError, match=because):
        connected(plugin(tmp_path, **more), replace(CONFIG, exec_plugins=(f"{tmp_path}/login-plugin",)))


def test_users_prove_themselves_in_every_way_kubectl_knows(tmp_path):
    encoded = {
        f"{key}-data": base64.b64encode(key.encode()).decode() for key in ("client-certificate", "client-key")
    }

    assert connected(with_user(tmp_path / "a", username="me", password="p")).login.proof == Password(
        "me", Secret("p")
    )
    assert connected(with_user(tmp_path / "b", **encoded)).login.certificate == Certificate(
        "client-certificate", Secret("client-key")
    )
    provider = {"name": "oidc", "config": {"id-token": "t"}}
    assert connected(with_user(tmp_path / "c", **{"auth-provider": provider})).login.proof == Token(
        Secret("t")
    )
    assert connected(with_user(tmp_path / "d")).login.proof is None


def test_impersonation_is_never_dropped(tmp_path):
    found = connected(with_user(tmp_path / "config", token="t", **{"as": "dev", "as-groups": ["a", "b"]}))

    assert found.login.impersonate == (
        ("Impersonate-User", "dev"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    )


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": "bm8="},
        {"client-certificate-data": "%%%", "client-key-data": "bm8="},
        {"client-certificate": "missing.pem", "client-key": "missing.key"},
        {"auth-provider": {"name": "gcp"}},
        {"as-groups": "admins"},
        {"as-user-extra": {"a": ["b"]}},
        {"token": 7},
        {"tokenFile": "a\0b"},
        {"client-certificate": "\0", "client-key": "\0"},
        {"auth-provider": "admin"},
        {"auth-provider": {"name": "admin", "config": "x"}},
        {"exec": "x"},
        {"as": "admin\r\nX: y"},
        {"as": "admin\u202e"},
        {"as": "admin", "as-groups": ["admin\n"]},
    ],
)
def test_a_user_that_is_not_understood_is_refused(tmp_path, user):
    with pytest.raises(RunnerError) as caught:
        connected(with_user(tmp_path / "config", **user))

    assert "admin" in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        "",
        "- a\n",
        "{",
        "contexts: {}\n",
        "contexts: [1]\n",
        "contexts: [{name: a}]\n",
        "contexts: [{name: a, context: 7}]\n",
        "contexts: [{name: a, context: {cluster: 7}}]\ncurrent-context: a\n",
        "contexts: [{name: a, context: {cluster: b}}]\nclusters: [{name: b, cluster: {}}]\ncurrent-context: a\n",
        "a: &a [*a]\n",
        "x: !!python/object/apply:os.system [id]\n",
        "\x00",
        json.dumps({"current-context": "nowhere"}),
        "[" * 5000,
    ],
)
def test_what_is_no_kubeconfig_says_so_and_names_the_file(tmp_path, content):
    (tmp_path / "config").write_text(content)

    with pytest.raises(RunnerError, match="config"):
        connected(tmp_path / "config")


@pytest.mark.parametrize("key", ["tokenFile", "client-certificate"])
def test_a_home_that_nobody_knows_of_is_said(tmp_path, key):
    with pytest.raises(RunnerError, match="nobody's home is known for ~nobody-of-that-name"):
        connected(with_user(tmp_path / "config", **{key: "~nobody-of-that-name/x", "client-key": "k"}))
    with pytest.raises(RunnerError, match="nobody's home"):
        connected(Path("~nobody-of-that-name/config"))


def test_a_kubeconfig_that_was_named_must_be_there(tmp_path, capsys):
    with pytest.raises(RunnerError, match="cannot be read"):
        connected(tmp_path / "missing")
    with pytest.raises(RunnerError, match="cannot be read"):
        connected(tmp_path)

    assert capsys.readouterr() == ("", "")


def repository(tmp_path: Path, *, git: bool = True) -> Path:
    root = tmp_path / "repository"
    (root / ".git" if git else root).mkdir(parents=True)
    return root


@pytest.mark.parametrize("place", ["config", "deep/config", ".kube/config"])
def test_a_kubeconfig_of_the_playbooks_repository_is_refused(tmp_path, place):
    root = repository(tmp_path)
    file = written(root / place)

    for choice in (Choice(str(file), repository=str(root)), Choice(repository=str(root))):
        with pytest.raises(RunnerError, match="lies in the repository of the playbook") as caught:
            connect(choice, CONFIG, {"KUBECONFIG": str(file), "HOME": str(root)})
        assert "--kubeconfig" in (caught.value.hint or "")


def test_a_link_makes_a_kubeconfig_of_the_repository_nobody_elses(tmp_path):
    root = repository(tmp_path)
    written(root / "config")
    (tmp_path / "outside").symlink_to(root / "config")
    (root / "inside").symlink_to(written(tmp_path / "mine"))

    for file in (tmp_path / "outside", root / "inside"):
        with pytest.raises(RunnerError, match="lies in the repository"):
            connected(file, repository=str(root))


def test_one_of_several_kubeconfigs_is_enough_to_refuse(tmp_path):
    root = repository(tmp_path)
    names = f"{written(tmp_path / 'mine')}:{written(root / 'theirs')}"

    with pytest.raises(RunnerError, match="lies in the repository"):
        connect(Choice(repository=str(root)), CONFIG, {"KUBECONFIG": names, "HOME": "/nowhere"})


def test_a_kubeconfig_elsewhere_is_the_operators(tmp_path):
    root = repository(tmp_path)

    assert connected(written(tmp_path / "repository-of-mine"), repository=str(root)).context == "rig"


def test_a_home_that_holds_a_playbook_is_no_repository(tmp_path):
    home = repository(tmp_path, git=False)
    written(home / ".kube" / "config")

    assert connect(Choice(repository=str(home)), CONFIG, {"HOME": str(home)}).context == "rig"
    with pytest.raises(RunnerError, match="lies in the repository"):
        connected(written(home / "config"), repository=str(home))


@pytest.mark.parametrize("command", ["./login-plugin", "bin/login-plugin", "../login-plugin"])
def test_a_plugin_that_means_another_program_in_every_folder_is_refused(tmp_path, command):
    allowed = replace(CONFIG, exec_plugins=(f"{tmp_path}/login-plugin", f"{tmp_path}/{command}"))

    with pytest.raises(RunnerError, match="another program in every folder"):
        connected(plugin(tmp_path, command=command), allowed)
