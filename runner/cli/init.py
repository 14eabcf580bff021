"""`runner init`: the first files of a release."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

import runner
from runner.cli import options
from runner.errors import RunnerError, UsageError

if TYPE_CHECKING:
    from runner.cli.starter import Service

PROMETHEUS = "http://prometheus.istio-system:9090"
ISTIO = "networking.istio.io/v1"
SCHEMAS = ".schemas"  # beside the playbooks, so that an editor completes and checks them offline


class Asked(TypedDict):
    """The options, as click names them."""

    example: str | None
    live: str | None
    service: str | None
    namespace: str | None
    prometheus: str
    kubeconfig: str | None
    context: str | None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("playbooks"))
@click.option("--example", type=click.Choice(["bookinfo"]), help="Copy an example with everything it needs.")
@click.option("--from", "live", metavar="virtualservice/NAME", help="Start from a live VirtualService.")
@click.option("--service", metavar="NAME", help="The service to release; my-service where it is left out.")
@click.option("-n", "--namespace", metavar="NAME", help="Namespace of the service.")
@click.option("--prometheus", metavar="NAME|URL", default=PROMETHEUS, help="Where checks are asked.")
@click.option("--kubeconfig", metavar="FILE", help="For --from: the kubeconfig to use.")
@click.option("--context", metavar="NAME", help="For --from: a context of the kubeconfig.")
@click.option("--force", is_flag=True, help="Write over files that differ.")
@click.pass_context
def command(ctx: click.Context, /, *, folder: Path, force: bool, **asked: Unpack[Asked]) -> None:
    """Write a first playbook into FOLDER (default: playbooks).

    Without an option it is a starter for a service of your own. Nothing is written over without --force.
    """
    if sum(asked[way] is not None for way in ("example", "live", "service")) > 1:
        raise UsageError("--example, --from and --service exclude each other", hint="give one of them")
    if asked["live"] is None:
        options.refuse(ctx, ("kubeconfig", "context"), "no cluster is read; it goes with --from")
    if asked["example"]:
        options.refuse(ctx, ("namespace", "prometheus"), "the example is copied as it is")
        files, first = _example(), folder / "bookinfo-canary.yaml"
        then = f"runner play {first} --sandbox"
    else:
        name, text = _starter(asked)
        files, first = {Path(name): text.encode()}, folder / name
        then = f"runner validate {first}"
    _write(folder, {**files, **_schemas()}, force=force)
    click.echo(f"next: {then}", err=True)


def _starter(asked: Asked) -> tuple[str, str]:
    """The name and the text of a playbook for one service."""
    from runner.cli import starter

    if asked["live"] is None:
        name = _dns_name(asked["service"] or "my-service")
        made = starter.Service(name, _dns_name(asked["namespace"] or "default"))
    else:
        made = _read(asked["live"], asked)
    schema = f"{SCHEMAS}/playbook.v1.schema.json"
    return f"{made.name}-release.yaml", starter.playbook(made, schema=schema, prometheus=asked["prometheus"])


def _read(live: str, asked: Asked) -> "Service":
    """What the cluster says about a VirtualService; nothing is written there."""
    from runner import bootstrap
    from runner.cli import starter
    from runner.ports import ObjectRef

    kind, _, name = live.partition("/")
    if kind.lower() not in {"virtualservice", "virtualservices", "vs"} or not name:
        raise UsageError(f"--from {live} is no VirtualService", hint="write --from virtualservice/NAME")
    reach = bootstrap.Reach(asked["kubeconfig"], asked["context"])
    cluster, namespace = bootstrap.for_reading(reach, asked["namespace"])
    found = cluster.get(ObjectRef(ISTIO, "VirtualService", namespace, name))
    if found is None:
        hint = f"see `kubectl get virtualservices -n {shlex.quote(namespace)}`, or choose another namespace with -n"
        raise RunnerError(f"VirtualService {namespace}/{name} does not exist", hint=hint)
    return starter.from_virtual_service(found, cluster.list(ISTIO, "DestinationRule", namespace, {}))


def _dns_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", name):
        raise UsageError(
            f"{name!r} is no name in Kubernetes", hint="use lower case letters, digits and dashes"
        )
    return name


def _example() -> dict[Path, bytes]:
    """Every file of the example, its schema comment pointing beside it."""
    root = _shipped("_playbooks", "playbooks")
    return {path.relative_to(root): _pointed(path, root) for path in sorted(root.rglob("*.yaml"))}


def _pointed(path: Path, root: Path) -> bytes:
    up = "../" * (len(path.relative_to(root).parts) - 1)
    return re.sub(rb"\$schema=(\.\./)+schemas/", f"$schema={up}{SCHEMAS}/".encode(), path.read_bytes())


def _schemas() -> dict[Path, bytes]:
    root = _shipped("_schemas", "schemas")
    return {Path(SCHEMAS, path.name): path.read_bytes() for path in sorted(root.glob("*.schema.json"))}


def _shipped(in_wheel: str, in_repository: str) -> Path:
    """A folder that travels with the package: inside the wheel, or beside the package in a clone."""
    package = Path(runner.__file__).parent
    inside = package / in_wheel
    return inside if inside.is_dir() else package.parent / in_repository


def _write(folder: Path, files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write *files* under *folder*, all or none, and say what was written."""
    differ = [folder / path for path, content in files.items() if _differs(folder / path, content)]
    if differ and not force:
        names = ", ".join(str(path) for path in differ)
        hint = "choose another folder, or give --force to lose what is there"
        raise RunnerError(f"these files exist and differ, and nothing was written: {names}", hint=hint)
    for path, content in files.items():
        _put(folder / path, content)


def _differs(path: Path, content: bytes) -> bool:
    return path.exists() and (not path.is_file() or path.read_bytes() != content)


def _put(path: Path, content: bytes) -> None:
    said = "unchanged" if path.exists() and not _differs(path, content) else "wrote"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if said == "wrote":
            path.write_bytes(content)
    except OSError as error:
        hint = "choose a folder that you may write to"
        raise RunnerError(f"{path} cannot be written: {error.strerror}", hint=hint) from None
    click.echo(f"{said} {path}")
