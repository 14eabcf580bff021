"""Credential plugins of a kubeconfig: programs that print an ExecCredential.

The protocol is that of https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins.
A plugin is started only when the operator's Config names it, without a shell and without a terminal,
with the environment that kubectl would give it.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Any

from runner.adapters.login import Certificate, ExecPlugin, bearer
from runner.errors import RunnerError
from runner.foreign import json_of
from runner.ports import Ending
from runner.secrecy import Secret, hide_named, keep_secret, sounds_secret

PATIENCE = 30.0  # seconds for a plugin to answer
EARLY = 10.0  # seconds before its end that a credential is no longer used
SHOWN = 300  # characters of a plugin's stderr


@dataclass(frozen=True, slots=True)
class _Obtained:
    token: Secret | None
    certificate: Certificate | None
    until: float


class FromPlugin:
    """A credential that a plugin gives, asked again when it ends and after a 401."""

    def __init__(self, plugin: ExecPlugin) -> None:
        self._plugin = plugin
        self._obtained: _Obtained | None = None

    def headers(self) -> Mapping[str, str]:
        """The bearer token, if the plugin gives one. RunnerError when it fails."""
        token = self._current().token
        return bearer(token) if token else {}

    def certificate(self) -> Certificate | None:
        """The client certificate, if the plugin gives one."""
        return self._current().certificate

    def renew(self) -> bool:
        """Ask the plugin again at the next request."""
        self._obtained = None
        return True

    def ending(self) -> Ending | None:
        """When what the plugin gave ends; it is asked again then."""
        until = self._current().until
        what = f"the credential from {self._plugin.command}"
        return Ending(what, until, "the plugin") if isfinite(until) else None

    def _current(self) -> _Obtained:
        if self._obtained is None or time.time() >= self._obtained.until - EARLY:
            self._obtained = _obtain(self._plugin)
        return self._obtained


def _obtain(plugin: ExecPlugin) -> _Obtained:
    printed = _run(plugin)
    try:
        return _read(printed, plugin.api_version)
    except (ValueError, KeyError, TypeError, AttributeError):
        message = f"the credential plugin {plugin.command} printed no {plugin.api_version} ExecCredential"
        raise RunnerError(message, hint=_try(plugin)) from None


def _run(plugin: ExecPlugin) -> str:
    environment = _environment(plugin)
    _keep_secret(environment, plugin.args)
    try:
        done = subprocess.run(  # noqa: S603 - an absolute path that the operator allowed, no shell
            [plugin.command, *plugin.args],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.TimeoutExpired:
        message = f"the credential plugin {plugin.command} did not answer within {PATIENCE:.0f} s"
        raise RunnerError(message, hint=_try(plugin)) from None
    except subprocess.CalledProcessError as error:
        said = hide_named(error.stderr.decode("utf-8", "replace").strip())[-SHOWN:]
        message = f"the credential plugin {plugin.command} failed with code {error.returncode}: {said}"
        raise RunnerError(message, hint=_try(plugin)) from None
    except OSError as error:
        message = f"the credential plugin {plugin.command} cannot be started: {error.strerror}"
        raise RunnerError(message, hint=_try(plugin)) from None
    return done.stdout.decode("utf-8", "replace")


def _environment(plugin: ExecPlugin) -> dict[str, str]:
    """Ours, what the kubeconfig adds, and what the plugin is asked."""
    question = {
        "apiVersion": plugin.api_version,
        "kind": "ExecCredential",
        "spec": {"interactive": False} | ({"cluster": plugin.cluster} if plugin.cluster else {}),
    }
    asked = json.dumps(question, default=str)  # YAML has dates
    return {**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": asked}


def _keep_secret(environment: Mapping[str, str], args: Sequence[str]) -> None:
    """A plugin that fails may print what it was given: variables, and arguments like `--client-secret X`."""
    for name, value in environment.items():
        if sounds_secret(name):
            keep_secret(value)
    for option, following in pairwise([*args, ""]):
        if option.startswith("-") and sounds_secret(option.partition("=")[0]):
            keep_secret(option.partition("=")[2] or following)


def _read(printed: str, api_version: str) -> _Obtained:
    answer: dict[str, Any] = json_of(printed)
    if answer["apiVersion"] != api_version or answer["kind"] != "ExecCredential":
        raise ValueError(f"expected ExecCredential of {api_version}")
    status = answer["status"]
    token, chain, key = (status.get(k) for k in ("token", "clientCertificateData", "clientKeyData"))
    if not (token or (chain and key)):
        raise ValueError("neither a token nor a certificate with its key")
    end = status.get("expirationTimestamp")
    until = datetime.fromisoformat(end).timestamp() if end else float("inf")
    certificate = Certificate(chain, Secret(key)) if chain and key else None
    return _Obtained(Secret(token) if token else None, certificate, until)


def _try(plugin: ExecPlugin) -> str:
    """Its arguments stay in the kubeconfig: one of them may be a secret."""
    return f"run it by hand to see why, with the arguments and variables of your kubeconfig: {plugin.command}"
