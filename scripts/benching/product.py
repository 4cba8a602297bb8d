"""How the product is configured and started for the bench: everything durable, trace on, limits as delivered."""

import sys
from pathlib import Path
from typing import Final

from benching import octets
from benching.servers import Ports

NOTIFY_PATH: Final = "/mms"
CONCURRENCY: Final = 32  # reports on their way at once

_CONFIGURATION: Final = """
[store]
path = "{store}"
postgres = "{postgres}"
schema = "{schema}"
{more}
[node]
name = "{node}"
number = {number}
[numbers]
own_prefixes = ["+1555"]
[mm1]
port = {ports.mm1}
[mm7]
port = {ports.mm7}
[mm4]
enabled = false
[weblink]
enabled = false
[fallback]
enabled = false
[builtin_smsc]
enabled = false
[vasp.{name}]
vasp_id = "{name}"
username = "{name}"
password = "{password}"
short_codes = ["4488"]
report_url = "http://127.0.0.1:{ports.report}/mm7"
concurrency = {concurrency}
[smsc.bench]
port = {ports.smsc}
source = "4488"
window = 64
"""


def product_command(
    ports: Ports,
    folder: Path,
    *,
    postgres: str,
    profile: Path | None,
    store: Path | None = None,
    more: str = "",
    sections: str = "",
    node: int = 1,
    schema: str = "",
) -> list[str]:
    """How `mmsc serve` is started; `profile` gets a cProfile of its main thread. `store`: a file that is there already;
    `more`: lines of [store]; `sections`: whole ones; several nodes have each its number, and one schema."""
    profiler = ["-m", "cProfile", "-o", str(profile.resolve())] if profile else []
    file = write_configuration(
        ports, folder, postgres=postgres, store=store, more=more, sections=sections, node=node, schema=schema
    )
    return [sys.executable, *profiler, "-m", "mmsc", "serve", "--config", str(file)]


def store_path(folder: Path) -> Path:
    """The SQLite file of a configuration in `folder`."""
    return folder / "mmsc.db"


def write_configuration(
    ports: Ports,
    folder: Path,
    *,
    postgres: str = "",
    store: Path | None = None,
    more: str = "",
    sections: str = "",
    node: int = 1,
    schema: str = "",
) -> Path:
    """Write the configuration file."""
    text = _CONFIGURATION.format(
        store=store or store_path(folder),
        ports=ports,
        concurrency=CONCURRENCY,
        name=octets.VASP_NAME,
        password=octets.VASP_PASSWORD,
        postgres=postgres,
        schema=schema or f"bench_{ports.mm7}",
        more=more,
        node=f"bench-{node}",
        number=node,
    )
    text += sections
    subscribers = (octets.number_of(index) for index in range(octets.SUBSCRIBERS))
    text += "".join(f'[subscriber."{number}"]\nmms = "on"\n' for number in subscribers)
    file = folder / "mmsc.toml"
    file.write_text(text)
    return file
