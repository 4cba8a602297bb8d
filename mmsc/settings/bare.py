"""What a server without a file has: loopback, a SQLite file in the user's state folder, and neighbours to play with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mmsc.settings.faults import Magic
from mmsc.settings.model import BuiltInSmsc, Console, Mm3, NumberSettings, Settings
from mmsc.settings.neighbours import Smsc, Subscriber, Vasp

DEMO_VASP: Final = "demo"


def bare() -> Settings:
    """The same as `config/mmsc.toml` (a test compares them)."""
    return Settings(
        numbers=NumberSettings(own_prefixes=("+1555",)),
        console=Console(enabled=True),
        mm3=Mm3(enabled=True),
        builtin_smsc=BuiltInSmsc(enabled=True),
        magic=Magic(enabled=True),
        smsc={"builtin": Smsc(port=2775, system_id="mmsc", password="secret")},
        vasp={
            DEMO_VASP: Vasp(
                vasp_id="demo",
                username="demo",
                password="secret",
                report_url="http://127.0.0.1:8900/",
                short_codes=("7255",),
                sender="7255",
            )
        },
        subscriber={
            "+15550000001": Subscriber(mms="on"),
            "+15550000002": Subscriber(mms="on"),
            "+15550000003": Subscriber(mms="off"),
        },
    )


def state_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where a user's programs keep state (XDG base directories): $XDG_STATE_HOME/mmsc, else ~/.local/state/mmsc."""
    home = (os.environ if environment is None else environment).get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "mmsc"


def store_path(settings: Settings) -> Path:
    """The SQLite file these settings mean."""
    return Path(settings.store.path).expanduser() if settings.store.path else state_folder() / "mmsc.db"


def captures_path(settings: Settings) -> Path:
    """The folder of the capture segments: beside the SQLite file unless the settings say otherwise."""
    if settings.trace.captures_path:
        return Path(settings.trace.captures_path).expanduser()
    return store_path(settings).parent / "captures"


def cdr_path(settings: Settings) -> Path:
    """The folder of the charging records: beside the SQLite file unless the settings say otherwise."""
    return Path(settings.cdr.folder).expanduser() if settings.cdr.folder else store_path(settings).parent / "cdr"
