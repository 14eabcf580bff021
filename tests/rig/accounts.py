"""A ServiceAccount with the least Role that `runner rbac` prints, and tokens for it that expire."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rig.cluster import Cluster, until
from rig.disturbances import PLAYBOOK

ACCOUNT = "releases"
ISSUER = "https://kubernetes.default.svc"


def create(cluster: Cluster, namespace: str) -> None:
    """Make the account; it may do nothing yet."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", ACCOUNT)


def delete(cluster: Cluster, namespace: str) -> None:
    """Take it away; what it may do is kept for another one of its name."""
    cluster.kubectl("-n", namespace, "delete", "serviceaccount", ACCOUNT)


def grant(cluster: Cluster, namespace: str) -> None:
    """Let it play the playbook, and no more."""
    command = [sys.executable, "-m", "runner", "rbac", str(PLAYBOOK), "-n", namespace]
    role = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cluster.kubectl("apply", "-f", "-", give=role)
    words = ("--role=runner-disturbed", f"--serviceaccount={namespace}:{ACCOUNT}")
    cluster.kubectl("-n", namespace, "create", "rolebinding", ACCOUNT, *words)


def revoke(cluster: Cluster, namespace: str) -> None:
    """Take everything away from it, and wait until the API server knows."""
    cluster.kubectl("-n", namespace, "delete", "rolebinding", ACCOUNT)
    until(lambda: not _may_move(cluster, namespace), 10, "the permission is gone")


def _may_move(cluster: Cluster, namespace: str) -> bool:
    resource = {"namespace": namespace, "verb": "update", "group": "networking.istio.io", "name": "reviews"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{ACCOUNT}",
            "resourceAttributes": resource | {"resource": "virtualservices"},
        },
    }
    answer = cluster.kubectl("create", "-f", "-", "-o", "json", give=json.dumps(review))
    return bool(json.loads(answer)["status"]["allowed"])


def token(cluster: Cluster, namespace: str, pki: Path, seconds: float) -> str:
    """A token as the API server would sign it; the server itself gives none for less than ten minutes."""
    uid = cluster.read("-n", namespace, "serviceaccount", ACCOUNT)["metadata"]["uid"]
    return signed(claims(namespace, uid, seconds), pki / "service-accounts.key")


def claims(namespace: str, uid: str, seconds: float) -> dict[str, Any]:
    """Good for *seconds*, and for the API server a minute longer: it forgives clocks that much (go-jose, `DefaultLeeway`)."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": f"system:serviceaccount:{namespace}:{ACCOUNT}",
        "iat": now,
        "nbf": now,
        "exp": int(now + seconds),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": ACCOUNT, "uid": uid}},
    }


def signed(payload: dict[str, Any], key: Path) -> str:
    """A JSON web token, ES256 (RFC 7518, 3.4: the signature is both numbers of 32 bytes, not ASN.1)."""
    text = f"{_part({'alg': 'ES256', 'typ': 'JWT'})}.{_part(payload)}"
    command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    signature = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    return f"{text}.{_base64(_numbers(signature))}"


def _numbers(asn1: bytes) -> bytes:
    """SEQUENCE { INTEGER r, INTEGER s }, each shorter than 128 bytes."""
    first = asn1[4 : 4 + asn1[3]]
    second = asn1[6 + asn1[3] :]
    return b"".join(one.lstrip(b"\0").rjust(32, b"\0") for one in (first, second))


def _part(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def write_plugin(folder: Path, namespace: str, uid: str, pki: Path, seconds: float) -> Path:
    """A program that gives a fresh token whenever it is asked; each is good for some seconds."""
    program = folder / "log-in"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})\n"
        "from rig import accounts\n"
        "from pathlib import Path\n"
        f"claims = accounts.claims({namespace!r}, {uid!r}, {seconds!r})\n"
        f"token = accounts.signed(claims, Path({str(pki / 'service-accounts.key')!r}))\n"
        "status = {'token': token}\n"
        "kind = {'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential'}\n"
        "print(json.dumps(kind | {'status': status}))\n"
    )
    program.chmod(0o700)
    return program
