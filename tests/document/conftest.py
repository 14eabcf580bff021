"""Golden files, and playbooks made of parts."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

PARTS = {
    "apiVersion": "apiVersion: runner/v1\n",
    "kind": "kind: Playbook\n",
    "metadata": "metadata: {name: orders}\n",
    "vars": "vars: {canary: v2}\n",
    "target": "target: {namespace: shop, prometheus: prod}\n",
    "routes": 'routes:\n  orders: {virtualService: orders, stable: v1, canary: "{{ canary }}"}\n',
    "checks": (
        "checks:\n  errors:\n    ratio:\n"
        '      bad: sum(increase(requests{version="{{ canary }}",code=~"5.."}[1m]))\n'
        '      of: sum(increase(requests{version="{{ canary }}"}[1m]))\n'
        "    max: 0.01\n"
    ),
    "guards": "guards:\n  - {check: errors, max: 0.05}\n",
    "stages": "stages:\n  - name: soak\n    wait: 2m\n",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write golden files anew; review the diff.")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], str]:
    """What the golden file says; with --update-golden it is written first."""

    def read(path: Path, actual: str) -> str:
        if request.config.getoption("--update-golden", default=False):
            path.write_text(actual, encoding="utf-8")
        return path.read_text(encoding="utf-8") if path.exists() else ""

    return read


@pytest.fixture
def playbook() -> Callable[[str], str]:
    """A whole playbook, in which the top-level keys of a fragment replace the usual ones."""

    def whole(fragment: str) -> str:
        named = set(re.findall(r"^([\w-]+):", fragment, flags=re.MULTILINE))
        return "".join(text for key, text in PARTS.items() if key not in named) + fragment

    return whole
