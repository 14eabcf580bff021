"""Folders with everything that a file system can hold, from the words of `cases/paths.yaml`."""

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Any

from tests.security.people import NOBODY, open_to_all

SECRET = "hunter2-SECRET"
MANIFEST = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\n"
TEXTS = {
    "manifest": MANIFEST.replace("NAME", "c"),
    "secret": f'{{"type": "service_account", "private_key": "{SECRET}"}}\n',
    "broken": f"TOKEN={SECRET}\n[TOKEN: {SECRET}\n",
    "kubeconfig": f"apiVersion: v1\nkind: Config\nmetadata: {SECRET}\nusers: [{{user: {{token: {SECRET}}}}}]\n",
    "broken secret": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata: {{a: {SECRET}, a: {SECRET}}}\n",
    "template": f'{{"key": "{{{{ {SECRET.replace("-", "_")} }}}}"}}\n',
}


def grow(root: Path, tree: dict[str, Any]) -> None:
    """The repository and what lies beside it, with *tree* on top; other users can come to it."""
    for folder in ("repository/.git", "repository/playbooks", "repository/k8s", "outside"):
        (root / folder).mkdir(parents=True)
    for name in ("a", "b"):
        (root / f"repository/k8s/{name}.yaml").write_text(MANIFEST.replace("NAME", name))
    (root / "outside/secret.yaml").write_text(TEXTS["secret"])
    for name, what in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        _make(root, root / name, what)
    open_to_all(root)


def _make(root: Path, path: Path, what: Any) -> None:
    match what:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        case "device":
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        case str():
            path.write_text(TEXTS.get(what, ""))
        case {"link": to}:
            path.symlink_to(to.replace("{outside}", str(root / "outside")))
        case {"hard": to}:
            path.hardlink_to(root / to)
        case {"bytes": size}:
            path.write_bytes(b"#" * size)
        case {"files": count}:
            path.mkdir()
            for number in range(count):
                (path / f"{number}.yaml").write_text(MANIFEST)
        case {"owner": _, "is": kind}:
            _make(root, path, kind)
            os.chown(path, NOBODY, NOBODY)
        case {"mode": mode}:
            if "is" in what:
                _make(root, path, what["is"])
            path.chmod(int(mode, 8))
