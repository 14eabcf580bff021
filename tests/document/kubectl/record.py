"""Records how kubectl reads each case, how the API server would, and how it reads what `runner` sends instead.

`python -m tests.document.kubectl.record` needs kubectl and Go; the tests that replay it need neither.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.adapters.kubernetes import as_yaml
from runner.document.kubernetes_yaml import parse_manifests
from runner.errors import InvalidDocumentError
from tests.document.kubectl.cases import HEAD, cases

RECORDED = Path(__file__).parent / "recorded.jsonl"
READINGS = Path(__file__).parents[2] / "rig" / "readings"


def asked_kubectl(text: str) -> dict[str, Any]:
    """kubectl's own reading, without a server."""
    command = ["kubectl", "annotate", "--local", "--filename", "-", "--output", "json", "a=b"]
    ran = subprocess.run(command, input=text, check=False, capture_output=True, text=True)
    if ran.returncode:
        return {"refused": ran.stderr.strip().removeprefix("error: error parsing STDIN: ")}
    return {"found": json.loads(ran.stdout).get("found")}


def asked_server(bodies: list[str]) -> list[dict[str, Any]]:
    """The API server's readings of apply patches."""
    with TemporaryDirectory() as folder:
        program = Path(folder, "readings")
        subprocess.run(["nice", "go", "build", "-o", program, "."], cwd=READINGS, check=True)
        lines = "".join(json.dumps(body) + "\n" for body in bodies)
        ran = subprocess.run([program], input=lines, check=True, capture_output=True, text=True)
    read = [json.loads(line) for line in ran.stdout.split("\n")[:-1]]
    return [each if "refused" in each else {"found": each["object"].get("found")} for each in read]


def ours(text: str) -> str | None:
    """What `runner` sends for the manifest *text*; None where it refuses it."""
    try:
        (document,) = parse_manifests(text.encode(), "m.yaml")
    except InvalidDocumentError:
        return None
    return as_yaml(document.tree).decode()


def main() -> None:
    """Ask everything and write it down."""
    texts = [f"{HEAD}found: {case}\n" for case in cases()]
    bodies = [ours(text) for text in texts]
    raw = asked_server(texts)
    served = iter(asked_server([body for body in bodies if body is not None]))
    lines = [
        {"case": case, "kubectl": asked_kubectl(text), "server": read}
        | ({} if body is None else {"sent": body, "served": next(served)})
        for case, text, read, body in zip(cases(), texts, raw, bodies, strict=True)
    ]
    RECORDED.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{len(lines)} cases")


if __name__ == "__main__":
    main()
