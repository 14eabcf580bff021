"""The operator's Config: where it lies, what may stand in it, and what it means."""

from pathlib import Path as FilePath
from typing import Any

from runner.document.load import read
from runner.document.schema import check_schema
from runner.document.tree import Document, in_file_order
from runner.errors import InvalidDocumentError
from runner.model.config import Config, MetricsSource


def config_file() -> FilePath | None:
    """This user's Config, ``$XDG_CONFIG_HOME/runner/config.yaml``; None where nobody's home is known."""
    from platformdirs import user_config_path

    try:
        return user_config_path("runner") / "config.yaml"
    except RuntimeError:  # a user whom the machine does not know, as containers have them
        return None


def load_config(file: FilePath | None = None) -> Config:
    """The Config in *file*, by default this user's; one that says nothing where there is no such file.

    InvalidDocumentError with every diagnostic.
    """
    file = file or config_file()
    if file is None or not file.exists():
        return Config(str(file or "$XDG_CONFIG_HOME/runner/config.yaml"))
    document = read(file)
    diagnostics = check_schema(document, "config")
    if diagnostics:
        raise InvalidDocumentError(in_file_order(diagnostics, document.file))
    return _config(document, file.parent)


def _config(document: Document, folder: FilePath) -> Config:
    tree = document.tree
    return Config(
        document.file,
        tuple(_source(name, body, folder) for name, body in tree.get("prometheus", {}).items()),
        tuple(tree.get("execPlugins", ())),
        tuple(server.rstrip("/") for server in tree.get("insecureServers", ())),
    )


def _source(name: str, body: dict[str, Any], folder: FilePath) -> MetricsSource:
    files = {
        key: _beside(folder, body.get(key)) for key in ("tokenFile", "basicAuthFile", "headersFile", "caFile")
    }
    return MetricsSource(
        name,
        body["url"].rstrip("/"),
        token_file=files["tokenFile"],
        basic_auth_file=files["basicAuthFile"],
        headers_file=files["headersFile"],
        ca_file=files["caFile"],
        insecure=body.get("insecure", False),
    )


def _beside(folder: FilePath, path: str | None) -> str | None:
    """A file is named relative to the Config that names it; ``~`` is the user's home."""
    return str(folder / _expanded(path)) if path else None


def _expanded(path: str) -> FilePath:
    """A home that nobody knows of is a path like any other: whoever reads the file says that there is none."""
    try:
        return FilePath(path).expanduser()
    except RuntimeError:
        return FilePath(path)
