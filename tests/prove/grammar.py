"""Playbooks, scenarios and Configs that a person might write, drawn from one integer; now and then with a wrong value."""

import random
from collections.abc import Callable
from typing import Any

Rng = random.Random
Tree = dict[str, Any]

ODD = 0.01  # of all values are of the wrong kind
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    100,
    1e308,
    float("nan"),
    10**30,
    "",
    "x" * 300,
    "{{ canary }}",
    "{{ missing }}",
    "{{ canary * 9 }}",
    "{{ routes.r.stable }}",
    "\u202e",
    "../../etc/passwd",
    "10%",
    "5m",
    "-5m",
    "99999999h",
    [],
    {},
    [[]],
    {"a": 1},
    {"check": "errors"},
    "sum(",
    "rate(x[1m])",
)
SERIES = 'istio_requests_total{destination_app="reviews",destination_canonical_revision="%s"%s}'


class Grammar:
    """Draws values; the same integer draws the same document."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng

    def one(self, *values: Any) -> Any:
        """One of *values*, seldom something else."""
        return self.rng.choice(WRONG) if self.rng.random() < ODD else self.rng.choice(values)

    def some(self, tree: Tree, **more: Callable[[], Any]) -> Tree:
        """*tree* with each further field half of the time."""
        return {**tree, **{name: make() for name, make in more.items() if self.rng.random() < 0.5}}

    def length(self) -> Any:
        """A duration."""
        return self.one("5s", "15s", "30s", "1m", "2m")

    def several(self, most: int, make: Callable[[int], Any]) -> list[Any]:
        """One to *most* of what *make* makes of their number."""
        return [make(n) for n in range(self.rng.randint(1, most))]


def _series(subset: str, more: str = "") -> str:
    return f"sum(increase({SERIES % (subset, more)}[30s]))"


def _check(g: Grammar) -> Tree:
    bad, of = _series("v3", ',response_code=~"5.."'), _series("v3")
    match g.rng.randrange(5):
        case 0:
            return {"query": g.one(f"{bad} / {of}", of, "vector(1)"), "max": g.one(0.05, 1, 500)}
        case 1:
            return {"query": of, "between": g.one([0, 1000000], [2, 1]), "reduce": g.one("max", "each")}
        case 2:
            shares = f"sum by (destination_canonical_revision) (increase({SERIES % ('v.', '')}[30s]))"
            shares = shares.replace('destination_canonical_revision="', 'destination_canonical_revision=~"')
            split = {"route": "r", "by": "destination_canonical_revision", "tolerance": g.one(5, 20)}
            return {"query": shares, "split": split}
        case _:
            ratio = {"bad": bad, "of": of}
            return g.some({"ratio": ratio, "max": g.one(0.05, 0.2)}, minSamples=lambda: g.one(1, 30, 100))


def _stage(g: Grammar, n: int) -> Tree:
    name = {"name": g.one(f"stage {n}", f"stage {n}", f"at {{{{ canary }}}} {n}", "again")}
    kinds: dict[str, Callable[[], Any]] = {
        "shift": lambda: g.some(
            {"route": g.one("r"), "canary": g.one(5, 20, 50, 100)},
            ready=g.length,
            capacity=lambda: g.one("ignore"),
        ),
        "wait": g.length,
        "verify": lambda: g.some(
            {"checks": g.several(2, lambda _: g.one("errors", "errors", "other"))},
            every=g.length,
            count=lambda: g.one(1, 2, 3),
            failureLimit=lambda: g.one(0, 1),
            patience=g.length,
            onInconclusive=lambda: g.one("pause", "rollback"),
        ),
        "promote": lambda: {"route": g.one("r")},
        "scale": lambda: {"deployment": g.one("reviews-v3"), "replicas": g.one(0, 1, 3)},
        "approve": lambda: g.some(
            {"message": g.one("go on?")}, timeout=g.length, onTimeout=lambda: g.one("hold", "rollback")
        ),
        "apply": lambda: {"files": g.one(["a.yaml"], "*.yaml", ["../x"])},
    }
    kind = g.rng.choice(("shift", "shift", "shift", "wait", "verify", "verify", *kinds))
    return {**name, kind: kinds[kind]()}


def playbook(rng: Rng) -> Tree:
    """A playbook of one route and one to five stages."""
    g = Grammar(rng)
    guard = {"check": g.one("errors"), "every": g.one("10s", "15s"), "failureLimit": g.one(0, 1, 2)}
    tree: Tree = {
        "apiVersion": "runner/v1",
        "kind": g.one("Playbook"),
        "metadata": {"name": g.one("fuzzed"), "version": g.one("1.0.0", "2")},
        "vars": {"canary": g.one("v3")},
        "target": g.some({"namespace": g.one("bookinfo")}, context=lambda: "prod"),
        "routes": {
            "r": g.some(
                {"virtualService": "reviews", "canary": g.one("{{ canary }}", "v3")},
                stable=lambda: g.one("v1"),
            )
        },
        "checks": {"errors": _check(g), "other": _check(g)},
        "stages": g.several(5, lambda n: _stage(g, n)),
    }
    return g.some(
        tree,
        guards=lambda: [guard],
        onFailure=lambda: g.one("hold", "rollback"),
        onInterrupt=lambda: g.one("hold", "rollback"),
        deadline=lambda: g.one("1h", "24h"),
        rollback=lambda: [{"name": "settle", "wait": g.length()}],
    )


def scenario(rng: Rng) -> Tree:
    """A scenario of up to three faults."""
    g = Grammar(rng)
    given = g.some(
        {},
        split=lambda: {"reviews": g.one({"v1": 100}, {"v1": 50, "v3": 50})},
        traffic=lambda: {"reviews": g.one("50/s", "0/s", "20/s")},
    )
    tree: Tree = {"apiVersion": "runner/v1", "kind": g.one("Scenario"), "metadata": {"name": g.one("fuzzed")}}
    return g.some(
        tree,
        given=lambda: given,
        when=lambda: g.several(3, lambda _: _fault(g)),
        expect=lambda: g.some(
            {"outcome": g.one("rejected", "succeeded")}, exit=lambda: g.one(0, 3), within=g.length
        ),
    )


def _fault(g: Grammar) -> Tree:
    faults: dict[str, Callable[[], Any]] = {
        "errors": lambda: g.one("30%", "100%", "10%"),
        "latency": lambda: g.one("+200ms", "+2s", "x3"),
        "traffic": lambda: g.one("0/s", "5/s", "x2"),
        "ready": lambda: g.one("never"),
        "gone": lambda: g.one(True),
        "api": lambda: g.one("429", "500", "unavailable", {"fault": "lost", "call": 1}),
        "prometheus": lambda: g.one("down", "slow", "empty"),
        "edit": lambda: {"weights": g.one({"v1": 60, "v3": 40}, {"v1": 100})},
    }
    kind = g.rng.choice(tuple(faults))
    at = {"at": g.one("start", "stage: a little", "stage: soak", "10s")}
    return g.some({**at, kind: faults[kind]()}, after=g.length, subset=lambda: g.one("canary", "v3"))


def config(rng: Rng) -> Tree:
    """What an operator might allow."""
    g = Grammar(rng)
    source = g.some(
        {"url": g.one("https://prometheus.example.com", "http://127.0.0.1:9090/x")},
        tokenFile=lambda: g.one("token", "~/token", "~nobody/token", "/dev/null"),
        basicAuthFile=lambda: g.one("basic"),
        headersFile=lambda: g.one("headers"),
        caFile=lambda: g.one("ca.pem"),
        insecure=lambda: g.one(True, False),
    )
    return g.some(
        {"apiVersion": "runner/v1", "kind": g.one("Config")},
        prometheus=lambda: {str(g.one("prod", "prod", "prod", "a b")): source},
        execPlugins=lambda: g.one(["/usr/bin/aws"], ["aws"]),
        insecureServers=lambda: g.one(["https://10.0.0.1:6443/"]),
    )
