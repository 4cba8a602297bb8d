"""What the bench measures, and what is wanted of it. The sides of a case alternate; the first is compared with the
second."""

from dataclasses import dataclass
from typing import Final

from benching.load import ACCEPT, LIFECYCLE
from benching.octets import PICTURE_OCTETS

PRODUCT: Final = "product"
FLOOR: Final = "floor"
LARGE_OCTETS: Final = 300 * 1024
RECIPIENTS: Final = 10
COMMIT_DELAY_MS: Final = 4
STORED_MESSAGES: Final = 1_000_000
STORED_BODIES: Final = 20_000
STALLED: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One server (or several nodes) that a case is played against. `stalled`: pages that follow and read nothing; some
    more are open that do read."""

    name: str
    is_floor: bool = False
    on_postgres: bool = False
    nodes: int = 1
    settings: str = ""  # lines of the section [store]
    sections: str = ""  # lines of other sections
    stored: bool = False  # it begins with a store that is full
    stalled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison. `in_flight` are played one after the other, each with its number of messages."""

    name: str
    title: str
    kind: str = LIFECYCLE
    in_flight: dict[int, int]  # messages in flight -> messages of a run
    sides: tuple[Side, ...] = (Side(name=PRODUCT), Side(name=FLOOR, is_floor=True))
    recipients: int = 1
    picture_octets: int = PICTURE_OCTETS


_LONGER: Final = 10_000  # behind the first seconds, in which SQLite reads pages of a full store
_STORED: Final = (Side(name="stored", stored=True), Side(name="empty"))
_POSTGRES: Final = Side(name=PRODUCT, on_postgres=True)

# A name of --case is one or several comparisons.
CASES: Final[dict[str, tuple[Case, ...]]] = {
    "accept": (Case(name="accept", title="accepts", kind=ACCEPT, in_flight={1: 400, 32: 3000, 64: 3000}),),
    "lifecycle": (Case(name="lifecycle", title="lifecycles", in_flight={1: 400, 32: 3000, 64: 3000}),),
    "first-push": (Case(name="first-push", title="SubmitReq to push", in_flight={1: 400}),),
    "stored": (
        Case(name="stored", title="lifecycles, 1,000,000 stored", in_flight={64: _LONGER}, sides=_STORED),
        Case(
            name="stored-accept", title="accepts, 1,000,000 stored", kind=ACCEPT, in_flight={32: _LONGER}, sides=_STORED
        ),
        Case(name="stored-first-push", title="SubmitReq to push, 1,000,000 stored", in_flight={1: 400}, sides=_STORED),
    ),
    "commit-delay": (
        Case(
            name="commit-delay",
            title=f"lifecycles, each commit {COMMIT_DELAY_MS} ms slower",
            in_flight={64: 3000},
            sides=(
                Side(name="delayed", settings=f"commit_delay = {COMMIT_DELAY_MS}"),
                Side(name=PRODUCT),
            ),
        ),
    ),
    "postgres": (
        Case(
            name="postgres",
            title="lifecycles on PostgreSQL",
            in_flight={64: 3000},
            sides=(_POSTGRES, Side(name=FLOOR, is_floor=True, on_postgres=True)),
        ),
    ),
    "two-nodes": (
        Case(
            name="two-nodes",
            title="lifecycles, two nodes on one PostgreSQL",
            in_flight={64: 3000},
            sides=(Side(name="two nodes", on_postgres=True, nodes=2), Side(name="one node", on_postgres=True)),
        ),
    ),
    "recipients": (
        Case(
            name="recipients",
            title=f"{RECIPIENTS} recipients an MM",
            in_flight={16: 300},
            recipients=RECIPIENTS,
            sides=(Side(name=PRODUCT),),
        ),
    ),
    "trace-cost": (
        Case(
            name="trace-cost",
            title="lifecycles with captures, and without",
            in_flight={64: 3000},
            sides=(Side(name=PRODUCT), Side(name="without", sections="[trace]\ncaptures = false\n")),
        ),
        Case(
            name="watched-cost",
            title=f"lifecycles with a console open and {STALLED} readers that stall",
            in_flight={64: 3000},
            sides=(Side(name="watched", stalled=STALLED), Side(name=PRODUCT)),
        ),
    ),
    "large": (Case(name="large", title="lifecycles of 300 KB", in_flight={64: 600}, picture_octets=LARGE_OCTETS),),
}


CODEC: Final = "codec"
MM1: Final = "mm1"
HOSTILE: Final = "hostile"
OVERLOAD: Final = "overload"
# Names of --case that have no sides, and their titles.
ALONE: Final = {
    CODEC: "SubmitReq of 30 KB, octets to domain",
    MM1: "m-retrieve-conf beside python-messaging",
    HOSTILE: "SubmitReq beside hostile requests",
    OVERLOAD: "more SubmitReqs than the door lets in",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of the table. `least` or `most` may be None: the figure is only told."""

    case: str
    in_flight: int
    figure: str
    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool | None:
        """Whether the value is as wanted; None where nothing is."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


TABLE: Final = (
    Wanted("lifecycle", 64, "messages_per_s", least=650),
    Wanted("lifecycle", 64, "ratio", least=0.70),
    Wanted("lifecycle", 64, "rss_mb", most=200),
    Wanted("accept", 32, "messages_per_s", least=1100),
    Wanted("accept", 32, "ratio", least=0.70),
    Wanted("first-push", 1, "push_p50_ms", most=10),
    Wanted("first-push", 1, "floor_push_p50_ms"),
    Wanted("stored", 64, "ratio", least=0.9),
    Wanted("stored-accept", 32, "ratio", least=0.9),
    Wanted("stored-first-push", 1, "push_ratio", least=0.9),
    Wanted("commit-delay", 64, "messages_per_s", least=500),
    Wanted("postgres", 64, "messages_per_s", least=600),
    Wanted("postgres", 64, "ratio", least=0.7),
    Wanted("two-nodes", 64, "messages_per_s"),
    Wanted("two-nodes", 64, "cpu_ratio", most=1.15),
    Wanted("trace-cost", 64, "ratio", least=0.85),
    Wanted("trace-cost", 64, "cpu_ratio", most=1.18),
    Wanted("watched-cost", 64, "ratio", least=0.95),
    Wanted("recipients", 16, "recipients_per_s", least=1200),
    Wanted("large", 64, "messages_per_s", least=150),
    Wanted("large", 64, "ratio"),
    Wanted("large", 64, "rss_mb", most=400),
    Wanted("codec", 1, "binary_us", most=120),
    Wanted("codec", 1, "binary_fresh_us"),
    Wanted("codec", 1, "base64_us", most=220),
    Wanted("codec", 1, "base64_fresh_us"),
    Wanted("mm1", 1, "decode_us"),
    Wanted("mm1", 1, "encode_us"),
    Wanted("mm1", 1, "decode_ratio", least=40),
    Wanted("mm1", 1, "encode_ratio", least=60),
    Wanted("hostile", 2, "unharmed", least=1),
    Wanted("overload", 900, "unharmed", least=1),
    Wanted("overload", 900, "flat", least=1),
    Wanted("overload", 900, "calm_share", least=3),
    Wanted("overload", 900, "rss_most_mb"),
)
