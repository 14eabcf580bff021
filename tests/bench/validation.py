"""A thousand playbooks in one call, against a tool that checks the schema and nothing else."""

from pathlib import Path

from tests.bench.measure import Figure, process

COUNT = 1000
HEAD = """\
apiVersion: runner/v1
kind: Playbook
metadata: {{name: release-{n}, version: 1.0.{n}, description: Release number {n}.}}
vars: {{canary: v2, soak: 5m, every: 30s, window: 2m}}
target: {{namespace: shop-{n}, prometheus: "http://prometheus.istio-system:9090"}}
routes:
  orders: {{virtualService: orders-{n}, stable: v1, canary: "{{{{ canary }}}}"}}
checks:
  errors:
    ratio:
      bad: sum(increase(istio_requests_total{{destination_app="orders-{n}",destination_version="{{{{ canary }}}}",response_code=~"5.."}}[{{{{ window }}}}]))
      of: sum(increase(istio_requests_total{{destination_app="orders-{n}",destination_version="{{{{ canary }}}}"}}[{{{{ window }}}}]))
    max: 0.01
  latency:
    query: histogram_quantile(0.95, sum(rate(istio_request_duration_milliseconds_bucket{{destination_app="orders-{n}",destination_version="{{{{ canary }}}}"}}[{{{{ window }}}}])) by (le))
    max: 500
guards:
  - {{check: errors, max: 0.05}}
stages:
"""
STEP = """\
  - name: shift to {share}
    shift:
      route: orders
      canary: {share}
  - name: soak at {share}
    wait: "{{{{ soak }}}}"
  - name: verify at {share}
    verify:
      checks: [errors, latency]
      every: "{{{{ every }}}}"
      count: 4
"""
LAST = "  - name: promote\n    promote: {route: orders}\n"


def figures(peer: Path, runner: Path, schemas: Path, folder: Path) -> list[Figure]:
    """One call each over the same files, three rounds by turns."""
    files = folder / "thousand"
    files.mkdir()
    for n in range(COUNT):
        steps = "".join(STEP.format(share=share) for share in (1 + n % 4, 10, 25, 50, 75, 100))
        (files / f"{n:04}.yaml").write_text(HEAD.format(n=n) + steps + LAST)
    names = sorted(path.name for path in files.iterdir())
    schema = schemas / "playbook.v1.schema.json"
    pairs = [
        (
            process([peer, "--schemafile", schema, *names], files),
            process([runner, "validate", "."], files),
        )
        for _ in range(3)
    ]
    theirs, ours = sorted(pairs, key=lambda pair: pair[0].cpu / pair[1].cpu)[1]
    gain = theirs.cpu / ours.cpu
    said = f"{gain:.1f} x faster than check-jsonschema ({ours.cpu:.2f} s against {theirs.cpu:.1f} s of CPU)"
    return [
        Figure(
            f"`runner validate` of {COUNT:,} playbooks of 19 stages",
            said,
            "at least 5 x, aiming at 10 x",
            gain >= 5,
        )
    ]
