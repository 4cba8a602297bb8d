"""The settings of a lab for test suites: what `mmsc serve` brings to play with, on free ports, beside another MMSC."""

from pathlib import Path
from typing import Final

import msgspec

from mmsc.settings.bare import DEMO_VASP, bare
from mmsc.settings.model import (
    BuiltInSmsc,
    Console,
    Lanes,
    Mm1,
    Mm3,
    Mm4,
    Mm7,
    Node,
    NumberSettings,
    Settings,
    StoreSettings,
    Trace,
    WebLink,
)
from mmsc.settings.neighbours import Peer, Smsc, Subscriber

BUILT_IN_SMSC: Final = "builtin"
FAR_PHONE: Final = "+16660000001"
_QUICK: Final = Lanes(first_pause_seconds=0.05, longest_pause_seconds=0.2)  # a test suite does not wait a minute


def lab(folder: Path, *, console: int, report_url: str, mm4: int, far_mm4: int) -> Settings:
    """A server for test suites: that of `bare` on free ports, with its state in `folder` and no long pauses, beside
    another MMSC (`far`, numbers +1666)."""
    base = bare()
    return Settings(
        node=Node(name="lab", domain="mms.lab.example"),
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures_path=str(folder / "captures")),
        numbers=msgspec.structs.replace(base.numbers, default_smsc=BUILT_IN_SMSC),
        lanes=_QUICK,
        magic=base.magic,
        console=Console(enabled=True, port=console, maximum_connections=200),
        mm1=Mm1(port=0),
        mm3=Mm3(enabled=True, port=0),
        mm4=Mm4(port=mm4),
        mm7=Mm7(port=0),
        weblink=WebLink(port=0),
        builtin_smsc=BuiltInSmsc(enabled=True, port=0),
        smsc={name: msgspec.structs.replace(one, receipts=True) for name, one in base.smsc.items()},
        vasp={DEMO_VASP: msgspec.structs.replace(base.vasp[DEMO_VASP], report_url=report_url)},
        peer={"far": Peer(domain="mms.far.example", host="127.0.0.1", port=far_mm4, prefixes=("+1666",))},
        subscriber={
            **base.subscriber,
            "+15550000004": Subscriber(mms="on"),
            "+15550000005": Subscriber(mms="unknown"),
        },
    )


def far(folder: Path, *, smsc: int, mm4: int, home_mm4: int) -> Settings:
    """The other MMSC of a lab, with one subscriber."""
    return Settings(
        node=Node(name="far", domain="mms.far.example"),
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures=False),
        numbers=NumberSettings(own_prefixes=("+1666",), default_smsc=BUILT_IN_SMSC),
        lanes=_QUICK,
        mm1=Mm1(port=0),
        mm4=Mm4(port=mm4),
        mm7=Mm7(enabled=False),
        weblink=WebLink(enabled=False),
        peer={"home": Peer(domain="mms.lab.example", host="127.0.0.1", port=home_mm4, prefixes=("+1555",))},
        smsc={BUILT_IN_SMSC: Smsc(port=smsc, system_id="mmsc", password="secret")},
        subscriber={FAR_PHONE: Subscriber(mms="on")},
    )
