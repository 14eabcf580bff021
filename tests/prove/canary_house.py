"""A house full of recognisable secrets: a kubeconfig, a Config, manifests, an environment, and servers that repeat them.

Each secret is asked for in seven spellings, written down here once more and not taken from the product.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.adapters.api import status
from tests.adapters.loopback import Reply, Seen, hang_up, page, says, silence

TLS = Path(__file__).parents[1] / "adapters" / "tls"
KEY = (TLS / "client.key").read_text()

CANARIES: Mapping[str, str] = {
    "token": "kTok-Zq9/+x=~Tq0000000001",
    "password": 'kPw"Zq9\\ä/+ =q0000000002',
    "file": "kFil-Zq9/+x=~Tq0000000003",
    "plugin": "kPlg-Zq9/+x=~Tq0000000004",
    "argument": "kArg-Zq9/+x=~Tq0000000005",
    "exec": "kExe-Zq9/+x=~Tq0000000006",
    "environment": "kEnv-Zq9/+x=~Tq0000000007",
    "metrics": "kMet-Zq9/+x=~Tq0000000008",
    "basic": 'kBas"Zq9\\ä/+ =q0000000009',
    "header": "kHea-Zq9/+x=~Tq0000000010",
    "proxy": "kPrx-Zq9_~Tq0000000000011",
    "userinfo": "kUsr-Zq9_~Tq0000000000012",
    "parameter": "kPar-Zq9_~Tq0000000000013",
    "data": "kDat-Zq9/+x=~Tq0000000014",
    "string": "kStr-Zq9/+x=~Tq0000000015",
    "applied": "kApp-Zq9/+x=~Tq0000000016",
    "variable": "kVar-Zq9/+x=~Tq0000000017",
    "local": "kLoc-Zq9/+x=~Tq0000000018",
}
KEY_LINES = tuple(line for line in KEY.splitlines() if not line.startswith("-"))
RECORDED = ("data", "string", "applied", "variable")
"""What a state file holds, because the operator said so: Secrets with --allow-secrets, variables."""


def spellings(secret: str) -> Iterator[bytes]:
    """Raw and its two ends, base64 in three alignments, as a URL, JSON and hexadecimal write it."""
    raw = secret.encode()
    yield from (raw, raw[:12], raw[-12:])
    for pad in range(3):
        yield base64.b64encode(b"\0" * pad + raw + b"\0" * 3)[4:-8]
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield raw.hex().encode()


NEEDLES: Mapping[str, tuple[bytes, ...]] = {
    **{name: tuple(dict.fromkeys(spellings(secret))) for name, secret in CANARIES.items()},
    "key": tuple(line.encode() for line in KEY_LINES) + tuple(spellings(KEY_LINES[0])),
}


def leaks(data: bytes, recorded: bool) -> list[str]:
    """The names of the secrets that stand in *data*; *recorded* forgives what a state file is told to hold."""
    return [
        name
        for name, needles in NEEDLES.items()
        if not (recorded and name in RECORDED) and any(needle in data for needle in needles)
    ]


def filled(text: str, url: str) -> str:
    """*text* with a secret, quoted by JSON's rules, in place of each `<<name>>`."""
    values = {
        **{name: json.dumps(secret)[1:-1] for name, secret in CANARIES.items()},
        "url": url,
        "data64": base64.b64encode(CANARIES["data"].encode()).decode(),
        "key64": base64.b64encode(KEY.encode()).decode(),
        "chain64": base64.b64encode((TLS / "client.pem").read_bytes()).decode(),
    }
    return re.sub(r"<<(\w+)>>", lambda found: values[found[1]], text)


def echo(seen: Seen) -> str:
    """What was sent, and each of its words, in every spelling that a server could choose."""
    said = []
    for name, value in seen.headers.items():
        if name not in ("Host", "Accept", "User-Agent", "Content-Type", "Content-Length", "Accept-Encoding"):
            said.append(f"{name}: {value}")
            for word in (value, value.split()[-1]):
                raw = word.encode()
                said += [base64.b64encode(b"xyz"[:pad] + raw).decode() for pad in range(3)]
                said += [quote(word, safe=""), json.dumps(word), raw.hex()]
    return " | ".join([*said, seen.target, seen.body.decode("utf-8", "replace")])


def _authorization(seen: Seen) -> str:
    return seen.headers.get("Authorization") or seen.headers.get("Proxy-Authorization") or "none"


def _says(code: int, reason: str, before: str = "") -> Callable[[Seen], Reply]:
    return lambda seen: status(code, reason, before + echo(seen), causes=[])


REPLIES: Mapping[str, Callable[[Seen], Reply]] = {
    "400": _says(400, "BadRequest"),
    "401": _says(401, "Unauthorized"),
    "403": _says(403, "Forbidden"),
    "404": _says(404, "NotFound"),
    "409": _says(409, "Conflict"),
    "422": _says(422, "Invalid"),
    "429": _says(429, "TooManyRequests"),
    "500": _says(500, "InternalError"),
    "503": _says(503, "ServiceUnavailable"),
    "cut in the middle": lambda seen: status(
        403, "Forbidden", "x" * (600 - 12) + _authorization(seen).split()[-1]
    ),
    "conflict": lambda seen: status(
        409,
        "Conflict",
        "Apply failed",
        causes=[
            {
                "reason": "FieldManagerConflict",
                "message": f'conflict with "{_authorization(seen)}" using v1',
                "field": _authorization(seen),
            }
        ],
    ),
    "cause": lambda seen: status(
        422, "Invalid", echo(seen), causes=[{"field": "data[password]", "message": echo(seen)}]
    ),
    "html": lambda seen: page(403, f"<html>{echo(seen)}</html>".encode(), f"text/html{_authorization(seen)}"),
    "no json": lambda seen: page(200, f"<html>{echo(seen)}</html>".encode(), f"text/{_authorization(seen)}"),
    "broken json": lambda seen: page(200, b'{"kind": "' + echo(seen).encode()),
    "redirect": lambda seen: page(
        302, b"", Location=f"https://elsewhere/?access_token={quote(_authorization(seen).split()[-1])}"
    ),
    "reason phrase": lambda seen: Reply(
        [f"HTTP/1.1 407 {_authorization(seen)}\r\nContent-Length: 0\r\n\r\n".encode()]
    ),
    "bad status line": lambda seen: Reply([f"{_authorization(seen)}\r\n\r\n".encode()]),
    "bad header": lambda seen: Reply(
        [f"HTTP/1.1 200 OK\r\nX {_authorization(seen)}\r\nContent-Length: 2\r\n\r\n{{}}".encode()]
    ),
    "hang up": lambda _: hang_up(),
    "silence": lambda _: silence(),
    "prometheus error": lambda seen: says(
        400, {"status": "error", "errorType": echo(seen), "error": echo(seen)}
    ),
    "prometheus warning": lambda seen: says(
        200, {"status": "success", "warnings": [echo(seen)], "data": {"resultType": "vector", "result": []}}
    ),
    "prometheus labels": lambda seen: says(200, _series({"who": _authorization(seen), "all": echo(seen)})),
    "prometheus metric": lambda seen: says(
        200, {"status": "success", "data": {"resultType": echo(seen), "result": []}}
    ),
    "prometheus fine": lambda _: says(200, _series({})),
}


def _series(labels: Mapping[str, str]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [1.0, "7"]}]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


BOOK = """\
apiVersion: runner/v1
kind: Playbook
metadata: {name: canaries}
vars: {db_password: {default: none}}
target: {namespace: shop, prometheus: prod}
routes: {orders: {virtualService: orders, stable: v1, canary: v2}}
checks: {errors: {query: 'sum(rate(orders_failed_total[1s]))', max: 1}}
stages:
  - {name: configure, apply: {files: [settings.yaml], ready: none}}
  - {name: "shift {{ db_password }}", shift: {route: orders, canary: 20}}
  - {name: look, verify: {checks: [errors], every: 1s, count: 1, patience: 1s}}
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"kind":"Secret","stringData":{"password":"<<applied>>"}}'
data: {password: <<data64>>}
stringData: {other: "<<string>>"}
"""
CONFIG = """\
apiVersion: runner/v1
kind: Config
prometheus:
  prod: {url: "<<url>>/metrics", tokenFile: metrics.token, headersFile: metrics.headers}
  shop: {url: "<<url>>/metrics", basicAuthFile: metrics.login}
execPlugins: [@HOME@/plugin]
"""
PLUGIN = """\
#!/bin/sh
cat <<'END'
{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "<<plugin>>"}}
END
"""
USERS: Mapping[str, str] = {
    "token": 'token: "<<token>>"',
    "file": "tokenFile: api.token",
    "password": 'username: me, password: "<<password>>"',
    "certificate": "client-certificate-data: <<chain64>>, client-key-data: <<key64>>",
    "plugin": 'exec: {apiVersion: client.authentication.k8s.io/v1, command: @HOME@/plugin, interactiveMode: Never,'
    ' args: [get-token, --client-secret, "<<argument>>"], env: [{name: OIDC_CLIENT_SECRET, value: "<<exec>>"}]}',
}  # fmt: skip
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "<<url>>"@CLUSTER@}}]
users: [{name: ann, user: {@USER@}}]
contexts: [{name: test, context: {cluster: test, user: ann, namespace: shop}}]
"""
FILES: Mapping[str, str] = {
    "work/book.yaml": BOOK,
    "work/settings.yaml": SETTINGS,
    "home/kubeconfig": KUBECONFIG,
    "home/plugin": PLUGIN,
    "home/api.token": "<<file>>\n",
    "config/runner/config.yaml": CONFIG,
    "config/runner/metrics.token": "<<metrics>>\n",
    "config/runner/metrics.login": "",
    "config/runner/metrics.headers": "X-Auth-Token: <<header>>\nX-Scope-OrgID: shop\n",
}


def furnish(folder: Path, case: Mapping[str, Any], url: str) -> None:
    """Write the house of *case*; what it says of a file replaces what is usual."""
    pieces = {
        "@USER@": USERS[case.get("user", "token")].replace("@HOME@", str(folder / "home")),
        "@CLUSTER@": case.get("cluster", ""),
        "@HOME@": str(folder / "home"),
        "@SECRET@": SECRET,
    }
    for name, text in {**FILES, **case.get("files", {})}.items():
        whole = re.sub("@[A-Z]+@", lambda found: pieces.get(found[0], found[0]), text)
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(filled(whole, url), encoding="utf-8")
    (folder / "config/runner/metrics.login").write_text(f"me:{CANARIES['basic']}\n", encoding="utf-8")
    (folder / "home" / "plugin").chmod(0o700)
    (folder / "tmp").mkdir()


def cases() -> list[dict[str, Any]]:
    """Every way to fail, as the data file says it."""
    found: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return found
