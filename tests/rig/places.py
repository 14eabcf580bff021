"""Where things are: folders on this machine, addresses and ports inside the rig's network."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent

NODE = "10.244.0.1"
GATEWAY = "10.244.0.2"
PROMETHEUS = "10.244.0.3"
PART_NETWORK = "10.244.0.0/24"
POD_PREFIX = "10.244"  # pods begin at .1.2
SERVICE_NETWORK = "10.96.0.0/16"

API_PORT = 6443
ETCD_PORT = 2379
ISTIOD_READY_PORT = 18090
ISTIOD_WEBHOOK_PORT = 15017
XDS_PORT = 15010
GATEWAY_PORT = 8080
PROMETHEUS_PORT = 9090

ADMIN_TOKEN = "rig-admin"
AGAIN = "again"  # the folder of a rig in which a file asks for a part that has ended


def cache_folder() -> Path:
    """Built programs; kept between rigs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "release-runner" / "rig"


def run_folder(name: str) -> Path:
    """Logs and settings of one living rig; gone when it is taken down."""
    return Path(tempfile.gettempdir()) / f"release-runner-rig-{os.getuid()}" / name
