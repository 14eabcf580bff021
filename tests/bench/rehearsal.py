"""What a virtual hour of a rehearsal costs, over all of its plays."""

import json
import subprocess
from pathlib import Path

from tests.bench.measure import Figure, process

ROUNDS = 3


def figures(runner: Path, folder: Path) -> list[Figure]:
    """The Bookinfo canary, rehearsed; the start of the process is part of the cost."""
    command = [runner, "rehearse", "playbooks/bookinfo-canary.yaml", "-o", "json"]
    said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    document = json.loads(said)
    hours = document["virtualSeconds"] / 3600
    cpu = min(process(command, folder).cpu for _ in range(ROUNDS))
    figure = (
        f"{cpu / hours:.2f} s of CPU ({document['worldsPlayed']} worlds, {hours:.1f} h, {cpu:.2f} s in all)"
    )
    return [Figure("`runner rehearse`, a virtual hour", figure, "at most 0.4 s", cpu / hours <= 0.4)]
