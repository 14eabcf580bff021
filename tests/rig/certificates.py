"""Who may speak to the rig's API server: certificates, tokens and kubeconfig files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from rig import places

# Users for tests of what is refused; only the first may do anything before a test grants it something.
USERS = {
    "admin": (places.ADMIN_TOKEN, "system:masters"),
    "somebody": ("rig-somebody", ""),
    "other": ("rig-other", ""),
}

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, nonResourceURLs: ["*"]}
  - {level: None, resources: [{group: coordination.k8s.io}, {group: "", resources: [events]}]}
  - {level: None, users: ["system:apiserver"]}
  - {level: Metadata}
"""


def write(run: Path, workloads: Path) -> None:
    """Write everything that the API server and its clients inside the rig read at their start."""
    pki = run / "pki"
    pki.mkdir(parents=True, exist_ok=True)
    names = [
        "127.0.0.1",
        places.NODE,
        "10.96.0.1",
        "localhost",
        "kubernetes.default.svc",
        "istiod.istio-system.svc",
    ]
    subprocess.run([str(workloads), "certificates", str(pki), *names], check=True)
    rows = [f'{token},{user},{user},"{groups}"' for user, (token, groups) in USERS.items()]
    (pki / "tokens.csv").write_text("\n".join(rows) + "\n")
    (run / "audit-policy.yaml").write_text(AUDIT_POLICY)
    write_kubeconfig(run / "inside.kubeconfig", run, f"https://127.0.0.1:{places.API_PORT}")


def write_kubeconfig(path: Path, run: Path, server: str) -> None:
    """One context for each user; JSON is YAML."""
    contexts = {"rig" if user == "admin" else f"rig-{user}": user for user in USERS}
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "rig",
                "cluster": {"server": server, "certificate-authority": str(run / "pki" / "ca.crt")},
            }
        ],
        "users": [{"name": user, "user": {"token": token}} for user, (token, _) in USERS.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "rig", "user": user}} for name, user in contexts.items()
        ],
        "current-context": "rig",
    }
    path.write_text(json.dumps(document, indent=1))
    path.chmod(0o600)
