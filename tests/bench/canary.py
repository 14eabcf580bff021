"""The whole Bookinfo canary in the sandbox: about ten virtual minutes."""

from pathlib import Path
from statistics import median

from tests.bench.measure import Figure, process


def figures(runner: Path, folder: Path) -> list[Figure]:
    """Start-up included, the state file written and synced as on a cluster."""
    command = [runner, "play", "playbooks/bookinfo-canary.yaml", "--sandbox"]
    taken = [process(command, folder) for _ in range(7)]
    wall, cpu = median(one.wall for one in taken), median(one.cpu for one in taken)
    memory = max(one.memory for one in taken)
    return [
        Figure(
            "the Bookinfo canary in the sandbox",
            f"{wall:.2f} s ({cpu:.2f} s of CPU)",
            "under 1.5 s",
            wall < 1.5,
        ),
        Figure("its memory at most", f"{memory:.0f} MiB", "under 80 MiB", memory < 80),
    ]
