"""What the operator of this machine is asked to write into the Config."""

from pathlib import Path

from runner.model.config import Config


def to_write(lines: str, config: Config) -> str:
    """*lines* as they can be pasted: below its head where there is no such file yet."""
    head = "" if Path(config.file).exists() else "apiVersion: runner/v1\nkind: Config\n"
    return f"{config.file}:\n{head}{lines}"
