"""How the product is configured and started for the bench."""

from pathlib import Path
from typing import Final

from benching.servers import Ports

NOTIFY_PATH: Final = "/mms"


def product_command(ports: Ports, folder: Path, *, profile: Path | None) -> list[str]:
    """Write the configuration and return how `mmsc serve` is started."""
    raise SystemExit("pending")
