"""Which cluster a run speaks to, as whom and in which namespace: chosen as kubectl chooses.

Order: ``--kubeconfig``, else the files of KUBECONFIG, else ``~/.kube/config``; in-cluster only when none of
them is there and the pod's service account is. Nothing is ever printed from here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.adapters.kube_user import Allowed, certificate_of, impersonation_of, proof_of
from runner.adapters.kubefile import Entry, Merged, at_home, listed, merge, pem
from runner.adapters.login import Login, TokenFile
from runner.adapters.operator import to_write
from runner.adapters.wire import parsed_address, without_login
from runner.errors import RunnerError
from runner.model.config import Config
from runner.secrecy import Secret

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line says; None where it says nothing.

    *repository* is the folder that the playbook comes from: a kubeconfig in it is its authors', not the operator's.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom a run speaks to a cluster; what people see, and the login."""

    context: str
    server: str
    namespace: str
    user: str
    login: Login = field(repr=False)


def connect(
    choice: Choice, config: Config, environ: Mapping[str, str] = os.environ, pod: Path = POD
) -> Connection:
    """The connection that *choice* means on this machine; opens no socket.

    RunnerError when there is no kubeconfig, no such context, or something in it that *config* does not allow.
    """
    files = _files(choice, environ)
    if not files and choice.context is None and _is_pod(environ, pod):
        return _in_cluster(choice, environ, pod)
    if not files:
        raise _no_kubeconfig(environ)
    for file in files:
        _refuse_of_repository(file, choice.repository, environ)
    merged = merge(files)
    context = merged.named("context", choice.context or _current(merged))
    cluster = merged.named("cluster", context.text("cluster"))
    user = merged.named("user", context.text("user")) if context.text("user") else None
    return Connection(
        context.name,
        _server(cluster),
        choice.namespace or context.text("namespace") or "default",
        user.name if user else "anonymous",
        _login(cluster, user, Allowed(config, environ)),
    )


def _files(choice: Choice, environ: Mapping[str, str]) -> list[Path]:
    if choice.kubeconfig:
        return [at_home(choice.kubeconfig)]
    return [file for file in _candidates(environ) if file.exists()]


def _refuse_of_repository(file: Path, repository: str | None, environ: Mapping[str, str]) -> None:
    """RunnerError for a file that whoever changes the playbook could change too, through a link as well.

    A home folder that merely holds a playbook is no repository: its `.kube` stays the operator's.
    """
    if repository is None:
        return
    root, real = Path(repository).resolve(), file.resolve()
    home = _home(environ)
    operators = home is not None and real.parent == (home / ".kube").resolve()
    own = operators and not (root / ".git").exists()
    inside = real.is_relative_to(root) or file.absolute().is_relative_to(root)
    if inside and not own:
        raise RunnerError(
            f"the kubeconfig {file} lies in the repository of the playbook, {root}: whoever changes the playbook"
            " could change which cluster is meant and which programs are started",
            hint="keep it outside, and name it with --kubeconfig or KUBECONFIG",
        )


def _home(environ: Mapping[str, str]) -> Path | None:
    """None for a user whom the machine does not know, as containers have them."""
    try:
        return Path(environ.get("HOME") or "~").expanduser()
    except RuntimeError:
        return None


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    named = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = _home(environ)
    usual = [home / ".kube" / "config"] if home is not None else []
    return [Path(part) for part in dict.fromkeys(named)] or usual


def _no_kubeconfig(environ: Mapping[str, str]) -> RunnerError:
    looked = ", ".join(str(file) for file in _candidates(environ)) or "KUBECONFIG alone: no home is known"
    return RunnerError(
        f"no kubeconfig found, looked for {looked}",
        hint="name one with --kubeconfig FILE, or play without a cluster: --sandbox",
    )


def _current(merged: Merged) -> str:
    if merged.current:
        return merged.current
    raise RunnerError(
        f"no context is current in {merged.where}; it has {listed(merged.contexts)}",
        hint="choose one with --context NAME",
    )


def _server(cluster: Entry) -> str:
    server = cluster.text("server").rstrip("/")
    parts = parsed_address(server)
    if parts.username is not None:
        raise RunnerError(
            f'{cluster.file}: the server of cluster "{cluster.name}" holds a user name or a password',
            hint="move them to a user of the kubeconfig: everybody sees the address of a server",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RunnerError(
            f'{cluster.file}: cluster "{cluster.name}" has no usable server, found "{without_login(server)}"'
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise RunnerError(
            f"{server} is plain http: whoever listens could read the credentials and change the answers",
            hint="use https in the kubeconfig, or `kubectl proxy` on this machine",
        )
    return server


def _login(cluster: Entry, user: Entry | None, allowed: Allowed) -> Login:
    return Login(
        server=_server(cluster),
        proof=proof_of(user, cluster, allowed) if user else None,
        certificate=certificate_of(user) if user else None,
        authorities=pem(cluster, "certificate-authority"),
        tls_server_name=cluster.text("tls-server-name") or None,
        proxy=Secret(proxy) if (proxy := cluster.text("proxy-url")) else None,
        verified=_verified(cluster, allowed.config),
        impersonate=impersonation_of(user) if user else (),
    )


def _verified(cluster: Entry, config: Config) -> bool:
    if not cluster.body.get("insecure-skip-tls-verify"):
        return True
    server = cluster.text("server").rstrip("/")
    if server in config.insecure_servers:
        return False
    raise RunnerError(
        f'{cluster.file}: cluster "{cluster.name}" skips the check of the server\'s certificate',
        hint=f"give it a certificate-authority, or allow it in {to_write(f'insecureServers: [{server}]', config)}",
    )


def _is_pod(environ: Mapping[str, str], pod: Path) -> bool:
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (pod / "token").is_file()


def _in_cluster(choice: Choice, environ: Mapping[str, str], pod: Path) -> Connection:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    authorities = (pod / "ca.crt").read_text("ascii") if (pod / "ca.crt").is_file() else None
    stated = pod / "namespace"
    own = stated.read_text("utf-8").strip() if stated.is_file() else ""
    return Connection(
        IN_CLUSTER,
        server,
        choice.namespace or environ.get("POD_NAMESPACE") or own or "default",
        "the pod's service account",
        Login(server, TokenFile(str(pod / "token")), authorities=authorities),
    )
