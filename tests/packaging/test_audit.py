"""The gate on known vulnerabilities fires, and where nobody could be asked it says so and is no pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.loopback import Reply, Seen, refused_port, says, serving

ROOT = Path(__file__).resolve().parents[2]
CONTROL = {"id": "GHSA-xg9f-g7g7-2323", "aliases": ["CVE-2023-25577"], "affected": []}
LOCK = """
[[package]]
name = "mine"
version = "0.1"
source = { editable = "." }

[[package]]
name = "jinja2"
version = "3.1.5"
source = { registry = "https://pypi.org/simple" }
"""


def osv(**known: dict) -> Reply:
    """A service in OSV's words that knows *known* by name, and always the control."""

    def answer(seen: Seen) -> Reply:
        found = {"werkzeug": CONTROL, **known}.get(seen.json["package"]["name"])
        return says(200, {"vulns": [found]} if found else {})

    return answer


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "uv.lock").write_text(LOCK)
    return tmp_path / "uv.lock"


def audit(lock: Path, url: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(lock.parent), "PIP_AUDIT_OSV_URL": url}
    command = [sys.executable, str(ROOT / ".ci/audit.py"), str(lock)]
    environment |= {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv"}
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=60)


def test_a_known_vulnerability_fails_and_is_named(lock: Path) -> None:
    known = {"id": "GHSA-cpwx-vrp4-4pq7", "aliases": ["CVE-2025-27516"]}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.6"}]}]
    known["affected"] = [{"package": {"name": "jinja2", "ecosystem": "PyPI"}, "ranges": ranges}]
    with serving(osv(jinja2=known)) as server:
        ran = audit(lock, server.url)

    assert ran.returncode == 1, ran.stderr
    assert "jinja2 3.1.5: CVE-2025-27516, GHSA-cpwx-vrp4-4pq7; fixed in 3.1.6\n" in ran.stdout
    assert "mine" not in ran.stdout


def test_nothing_known_passes_and_says_how_many_were_asked_about(lock: Path) -> None:
    with serving(osv()) as server:
        ran = audit(lock, server.url)
        asked = sorted(seen.json["package"]["name"] for seen in server.seen)

    assert (ran.returncode, ran.stdout) == (0, "locked versions audited: 1; known vulnerabilities: 0\n")
    assert asked == ["jinja2", "werkzeug"]


def test_a_service_that_knows_nothing_is_no_evidence(lock: Path) -> None:
    with serving(lambda _: says(200, {})) as server:
        ran = audit(lock, server.url)

    assert ran.returncode == 3
    assert ran.stdout == "not audited: the service does not know CVE-2023-25577 of werkzeug 2.2.2\n"


def test_a_service_that_is_not_there_is_no_evidence(lock: Path) -> None:
    ran = audit(lock, f"http://127.0.0.1:{refused_port()}/")

    assert ran.returncode == 3
    assert ran.stdout.startswith("not audited: pip-audit got no answer: ")


def test_an_empty_lock_is_no_evidence(lock: Path) -> None:
    lock.write_text("package = []\n")

    ran = audit(lock, "http://127.0.0.1:1/")

    assert (ran.returncode, ran.stdout) == (3, "not audited: the lock names no version\n")
