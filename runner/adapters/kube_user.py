"""The user entries of a kubeconfig: tokens, certificates, plugins that the operator allows, impersonation."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.kubefile import Entry, pem
from runner.adapters.login import Certificate, ExecPlugin, Password, Proof, Token, TokenFile, sendable
from runner.adapters.operator import to_write
from runner.errors import RunnerError
from runner.model.config import Config
from runner.secrecy import Secret, keep_secret, sounds_secret

EXTENSION = "client.authentication.k8s.io/exec"
PLUGIN_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What decides whether a plugin may be started: the operator's Config, and where programs are found."""

    config: Config
    environ: Mapping[str, str]


def proof_of(user: Entry, cluster: Entry, allowed: Allowed) -> Proof:
    """What *user* proves itself with. RunnerError when that is not understood or not allowed."""
    if path := user.path("tokenFile"):
        return TokenFile(str(path))
    if token := user.text("token"):
        return Token(Secret(token))
    if "exec" in user.body:
        return _plugin(user, cluster, allowed)
    if "auth-provider" in user.body:
        return _provider(user)
    if user.text("username"):
        return Password(user.text("username"), Secret(user.text("password")))
    return None


def certificate_of(user: Entry) -> Certificate | None:
    """The client certificate of *user*, if it has one with its key."""
    chain, key = pem(user, "client-certificate"), pem(user, "client-key")
    if chain and key:
        return Certificate(chain, Secret(key))
    if chain or key:
        raise RunnerError(f'{user.file}: user "{user.name}" has a certificate or a key without the other')
    return None


def impersonation_of(user: Entry) -> tuple[tuple[str, str], ...]:
    """The headers that make the server see another user, as ``as``, ``as-uid`` and ``as-groups`` say.

    Ignoring them would act with more rights than the kubeconfig grants.
    """
    if "as-user-extra" in user.body:
        raise RunnerError(f'{user.file}: "as-user-extra" of "{user.name}" is not supported')
    pairs = [("Impersonate-User", user.text("as")), ("Impersonate-Uid", user.text("as-uid"))]
    pairs += [("Impersonate-Group", str(group)) for group in user.items("as-groups")]
    return tuple((name, sendable(value, f'"{value}"')) for name, value in pairs if value)


def _provider(user: Entry) -> Proof:
    provider = Entry(f"{user.name}/auth-provider", user.mapping("auth-provider"), user.file)
    settings = provider.mapping("config")
    token = settings.get("id-token") or settings.get("access-token")
    if isinstance(token, str) and token:
        return Token(Secret(token))
    raise RunnerError(
        f'{user.file}: user "{user.name}" logs in with the auth-provider "{provider.text("name")}"',
        hint="auth providers were replaced by exec plugins in Kubernetes 1.26; log in again to get one",
    )


def _plugin(user: Entry, cluster: Entry, allowed: Allowed) -> ExecPlugin:
    plugin = Entry(f"{user.name}/exec", user.mapping("exec"), user.file)
    api_version = plugin.text("apiVersion")
    if api_version not in PLUGIN_VERSIONS:
        raise RunnerError(
            f'{user.file}: the plugin of "{user.name}" speaks "{api_version}", known are v1, v1beta1'
        )
    if plugin.text("interactiveMode") == "Always":
        raise RunnerError(
            f'{user.file}: the plugin of "{user.name}" wants a terminal; a run has none to give'
        )
    return ExecPlugin(
        _allowed_command(plugin, user, allowed),
        api_version,
        tuple(_passable(str(argument), plugin) for argument in plugin.items("args")),
        _environment(plugin),
        _cluster_info(cluster) if plugin.body.get("provideClusterInfo") else None,
    )


def _environment(plugin: Entry) -> tuple[tuple[str, str], ...]:
    try:
        pairs = tuple((str(pair["name"]), str(pair["value"])) for pair in plugin.items("env"))
    except (TypeError, KeyError):
        raise RunnerError(f'{plugin.file}: "env" of "{plugin.name}" is no list of names and values') from None
    for name, value in pairs:
        if sounds_secret(name):
            keep_secret(value)
        if not name or "=" in name:
            raise RunnerError(f'{plugin.file}: "env" of "{plugin.name}" has a name that no variable can have')
        _passable(name + value, plugin)
    return pairs


def _passable(text: str, plugin: Entry) -> str:
    """*text*, which a program can be given. RunnerError, which does not quote it: it may be a secret."""
    if "\0" in text:
        raise RunnerError(f'{plugin.file}: "{plugin.name}" holds U+0000, which no program can be given')
    return text


def _allowed_command(plugin: Entry, user: Entry, allowed: Allowed) -> str:
    command = plugin.text("command")
    if "/" in command and not command.startswith("/"):
        raise RunnerError(
            f'user "{user.name}" logs in by starting {command}, which means another program in every folder',
            hint="write the whole path of the plugin into the kubeconfig",
        )
    found = command if "/" in command else shutil.which(command, path=allowed.environ.get("PATH"))
    if found is None:
        hint = plugin.text("installHint") or None
        raise RunnerError(
            f'the credential plugin "{command}" of user "{user.name}" is not installed', hint=hint
        )
    absolute = str(Path(found).absolute())
    if absolute in allowed.config.exec_plugins:
        return absolute
    lines = f"execPlugins:\n  - {absolute}"
    raise RunnerError(
        f'user "{user.name}" logs in by starting {absolute}, and nobody has allowed that',
        hint=f"if you trust it, write into {to_write(lines, allowed.config)}",
    )


def _cluster_info(cluster: Entry) -> Mapping[str, object]:
    """What client-go hands to a plugin that asks for it: the cluster entry in the API's spelling."""
    info: dict[str, object] = {"server": cluster.text("server")}
    if authorities := cluster.text("certificate-authority-data"):
        info["certificate-authority-data"] = authorities
    if name := cluster.text("tls-server-name"):
        info["tls-server-name"] = name
    for extension in cluster.items("extensions"):
        if isinstance(extension, dict) and extension.get("name") == EXTENSION:
            info["config"] = extension.get("extension")
    return info
