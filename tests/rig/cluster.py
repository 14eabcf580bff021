"""The cluster that a test speaks to, whichever it is: through kubectl and Prometheus, never through `runner`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import mesh, places

Object = dict[str, Any]

REPOSITORY = places.SOURCES.parent.parent
MANIFESTS = REPOSITORY / "playbooks" / "bookinfo"


class KubectlError(Exception):
    """kubectl ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What `RUNNER_TEST_*` says; prometheus and gateway are empty where there is no mesh."""

    kubeconfig: str
    prometheus: str
    gateway: str
    rig: str  # empty on a cluster that is not a rig of ours

    @classmethod
    def from_environment(cls) -> Cluster | None:
        """The cluster that was given to this test run, if any."""
        names = ("KUBECONFIG", "PROMETHEUS", "GATEWAY", "RIG")
        found = cls(*(os.environ.get(f"RUNNER_TEST_{name}", "") for name in names))
        return found if found.kubeconfig else None

    @property
    def run(self) -> Path:
        """The rig's folder."""
        return places.run_folder(self.rig)

    def kubectl(self, *words: str, give: str = "") -> str:
        """Run kubectl and return its stdout. Raises KubectlError."""
        command = ["kubectl", f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=give, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip())
        return done.stdout

    def read(self, *words: str) -> Object:
        """`kubectl get ... -o json`."""
        return dict(json.loads(self.kubectl("get", "-o", "json", *words)))

    def query(self, expression: str) -> dict[tuple[str, ...], float]:
        """The value of each series now, under its label values in the order of the labels' names."""
        url = f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return {
            tuple(value for _, value in sorted(one["metric"].items())): float(one["value"][1])
            for one in result
        }

    def calls_of_runner(self) -> list[Object]:
        """Every call that `runner` made to the API server, from the rig's own audit log; elsewhere none are known."""
        if not self.rig:
            return []
        lines = (self.run / "log" / "audit.jsonl").read_text().splitlines()
        return [
            call for line in lines if (call := json.loads(line)).get("userAgent", "").startswith("runner/")
        ]


@dataclass(frozen=True, slots=True)
class Bookinfo:
    """Bookinfo in a namespace of its own; with a host of its own, several serve side by side."""

    cluster: Cluster
    namespace: str
    host: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)  # end with the namespace

    def kubectl(self, *words: str, give: str = "") -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, give=give)

    def read(self, *words: str) -> Object:
        return self.cluster.read("-n", self.namespace, *words)

    def install(self) -> None:
        """Apply the manifests with kubectl, all traffic on v1, and wait until the page answers."""
        for path in sorted(MANIFESTS.glob("*.yaml")):
            text = path.read_text()
            if self.host and path.name == "gateway.yaml":
                text = re.sub(r"""hosts: \[?["']\*["']\]?""", f"hosts: [{self.host}]", text)
            self.kubectl("apply", "-f", "-", give=text)
        self.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")
        until(self.serves, 30, "the gateway answers")

    def serves(self) -> bool:
        """Whether the gateway leads to this namespace's reviews."""
        request = urllib.request.Request(self.reviews_url, headers={"Host": self.host} if self.host else {})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def is_scraped(self) -> bool:
        """Whether Prometheus has scraped every Deployment's pod; it looks for new ones every five seconds."""
        scraped = self.cluster.query(f'count by (pod) (up{{namespace="{self.namespace}"}} == 1)')
        return len(scraped) >= len(self.read("deployments")["items"])

    @property
    def reviews_url(self) -> str:
        """Where the answer of reviews comes through productpage as it is."""
        return f"{self.cluster.gateway}/api/v1/products/0/reviews"

    def spoil(self, version: str, **knobs: str | None) -> None:
        """Turn knobs of the rig on the living pods of one version of reviews; None turns one off."""
        words = [
            f"rig/{knob.replace('_', '-')}" + ("-" if it is None else f"={it}") for knob, it in knobs.items()
        ]
        self.kubectl("annotate", "--overwrite", "pod", "-l", f"app=reviews,version={version}", *words)

    def remove(self, version: str) -> None:
        """Take all pods of one version of reviews away, and wait until they are gone."""
        self.kubectl("scale", f"deployment/reviews-{version}", "--replicas=0")
        self.kubectl("wait", "--for=delete", "pod", "-l", f"app=reviews,version={version}", "--timeout=20s")

    def remove_all(self) -> None:
        """End what plays here, take the routes away at once, and the rest in its own time."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.kubectl("delete", "virtualservice,gateway,deployment", "--all", "--wait=false")
        self.cluster.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def virtual_service(self) -> Object:
        return self.read("virtualservice", "reviews")

    def weights(self) -> dict[str, int]:
        """The split of reviews as the VirtualService has it; weight 0 left out."""
        destinations = self.virtual_service()["spec"]["http"][0]["route"]
        single = len(destinations) == 1
        found = {
            one["destination"]["subset"]: 100 if single else one.get("weight", 0) for one in destinations
        }
        return {subset: weight for subset, weight in found.items() if weight}

    def shift(self, **weights: int) -> None:
        """Set the split as a person with kubectl would."""
        route = [{"destination": {"host": "reviews", "subset": it}, "weight": n} for it, n in weights.items()]
        patch = [{"op": "replace", "path": "/spec/http/0/route", "value": route}]
        self.kubectl("patch", "virtualservice", "reviews", "--type=json", "-p", json.dumps(patch))

    def envoy_weights(self) -> dict[str, int]:
        """The split of reviews that productpage's own proxy holds at this moment; a rig's admin port is open."""
        pod = self.kubectl("get", "pod", "-l", "app=productpage", "-o", "jsonpath={.items[0].metadata.name}")
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{mesh.ADMIN_PORT}/proxy/config_dump"
        dump = json.loads(self.cluster.kubectl("get", "--raw", f"{path}?resource=dynamic_route_configs"))
        return _weights_in(dump, f"reviews.{self.namespace}.svc.cluster.local")


def _weights_in(dump: Object, host: str) -> dict[str, int]:
    hosts = [it for one in dump.get("configs", []) for it in one["route_config"].get("virtual_hosts", [])]
    route = next(it["routes"][-1]["route"] for it in hosts if it["name"].startswith(host))
    if "cluster" in route:
        return {_subset(route["cluster"]): 100}
    found = {_subset(one["name"]): one.get("weight", 0) for one in route["weighted_clusters"]["clusters"]}
    return {subset: weight for subset, weight in found.items() if weight}


def _subset(cluster: str) -> str:
    return cluster.split("|")[2]


def until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until a condition holds and return how long that took. Raises TimeoutError."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun
