"""The settings of a server: frozen, checked, complete with defaults. `config/mmsc.toml` is the same, as a manual.

Units are in the names; an empty text means "not set". A nested value replaces its whole section, never merges.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import field

from mmsc.settings.base import (
    BUCKET,
    COUNTRY_CODE,
    HEADER_NAME,
    SCHEMA,
    TOKEN,
    Bound,
    Count,
    Digits,
    Domain,
    Host,
    HostAndPort,
    Hostname,
    Hours,
    KeptHours,
    Live,
    Name,
    Octets,
    Port,
    Prefix,
    Quotable,
    Seconds,
    Secret,
    Section,
    Text,
    Url,
    Waits,
)
from mmsc.settings.faults import Fault, Magic
from mmsc.settings.neighbours import Peer, PeerDelivery, Smsc, SmscDelivery, Subscriber, Vasp, VaspDelivery
from mmsc.settings.profiles import Mm7Profile

KILO = 1024
MEGA = 1024 * 1024


class Node(Section, frozen=True, kw_only=True):
    """This node, beside others on the same database."""

    name: Name = "mmsc"
    number: Annotated[int, msgspec.Meta(ge=-1, le=1023)] = -1
    domain: Domain = "mms.example"
    stop_seconds: Seconds = 10.0


class ObjectSettings(Section, frozen=True, kw_only=True):
    """Bodies in S3-compatible object storage instead of the database, when `url` is set."""

    url: Annotated[str, msgspec.Meta(pattern=BUCKET)] = ""
    endpoint: Url = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: Secret[str] = ""
    smallest_octets: Octets = 16 * KILO
    timeout_seconds: Seconds = 10.0


class StoreSettings(Section, frozen=True, kw_only=True):
    """Where state is kept. `postgres` wins over `path`."""

    path: str = ""
    postgres: Secret[str] = ""
    schema: Annotated[str, msgspec.Meta(pattern=SCHEMA)] = "mmsc"
    commit_delay: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0
    objects: ObjectSettings = ObjectSettings()


class Retention(Section, frozen=True, kw_only=True):
    """How long what is kept."""

    body_hours: KeptHours = 168.0
    message_hours: KeptHours = 2160.0
    maximum_octets: Bound = 8192 * MEGA
    warn_free_octets: Bound = 512 * MEGA
    every_seconds: Seconds = 600.0


Captured = Literal["mm1", "mm3", "mm4", "mm7", "smpp", "weblink"]  # interfaces whose octets are kept


class Trace(Section, frozen=True, kw_only=True):
    """What is remembered for looking at."""

    captures: bool = True
    captures_path: str = ""
    captures_maximum_octets: Octets = 256 * MEGA
    captures_maximum_hours: Hours = 168.0
    captures_shares: Live[dict[Captured, Bound]] = field(
        default_factory=lambda: {"mm1": 30, "mm3": 5, "mm4": 20, "mm7": 30, "smpp": 10, "weblink": 5}
    )
    captures_longest_octets: Live[dict[Captured, Bound]] = field(default_factory=dict)
    captures_off: Live[tuple[Captured, ...]] = ()
    events_in_memory: Count = 10_000


class Place(Section, frozen=True, kw_only=True):
    """Where something listens."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 0


class Listener(Place, frozen=True, kw_only=True):
    """What every interface that takes connections has."""

    maximum_connections: Count = 1000


class HttpListener(Listener, frozen=True, kw_only=True):
    """An interface over HTTP."""

    public_url: Url = ""
    maximum_body_octets: Octets = 4 * MEGA
    maximum_header_octets: Octets = 32 * KILO
    request_seconds: Seconds = 60.0
    idle_seconds: Seconds = 75.0


class Mm1(HttpListener, frozen=True, kw_only=True):
    """User agents."""

    port: Port = 8801
    maximum_body_octets: Octets = 2 * MEGA
    identity_headers: Live[tuple[Text, ...]] = (
        "X-WAP-Network-Client-MSISDN",
        "X-MSISDN",
        "X-Up-Calling-Line-ID",
        "X-Nokia-MSISDN",
        "X-WAP-MSISDN",
        "MSISDN",
        "X-H3G-MSISDN",
        "X-DU-MSISDN",
        "VZV-MSISDN",
        "X-HTS-CLID",
        "User-Identity-Forward-MSISDN",
        "X-Ericsson-MSISDN",
        "X-Huawei-MSISDN",
        "X-MDN",
    )
    address_headers: Live[tuple[Text, ...]] = ("X-WAP-Network-Client-IP", "X-WAP-Client-IP", "X-Forwarded-For")
    identity_gateways: Live[tuple[str, ...]] = ("127.0.0.0/8", "::1/128")
    require_identity: Live[bool] = False
    append_transaction_id: Live[bool] = False
    address_hiding: Live[bool] = True
    foreign_from: Live[Literal["replace", "refuse"]] = "replace"
    retrieve_grace_seconds: Live[Seconds] = 600.0
    reply_charging: Live[bool] = True


class Mmbox(Section, frozen=True, kw_only=True):
    """What subscribers keep in the network."""

    enabled: Live[bool] = True
    default_store: Live[bool] = False
    quota_messages: Live[Count] = 500
    quota_octets: Live[Octets] = 50 * MEGA
    view_messages: Live[Count] = 50
    view_octets: Live[Octets] = MEGA
    maximum_locations: Live[Count] = 100
    keep_days: Annotated[float, msgspec.Meta(ge=0, le=36_500)] = 365.0


class Mm3(Listener, frozen=True, kw_only=True):
    """Mails from the Internet."""

    enabled: bool = False
    port: Port = 8803
    maximum_connections: Count = 50
    maximum_octets: Octets = 4 * MEGA
    maximum_recipients: Count = 20
    command_seconds: Seconds = 300.0
    mail_seconds: Seconds = 600.0
    networks: Live[tuple[str, ...]] = ("127.0.0.0/8", "::1/128")


class Mm4(Listener, frozen=True, kw_only=True):
    """Foreign MMSCs."""

    port: Port = 8804
    maximum_connections: Count = 200
    hostname: Hostname = ""
    maximum_octets: Octets = 2 * MEGA
    maximum_recipients: Count = 100
    command_seconds: Seconds = 300.0
    mail_seconds: Seconds = 600.0
    unknown_peers: Live[bool] = False
    resend_after_seconds: Live[Waits] = (60.0, 300.0, 1800.0)
    report_grace_hours: Live[Hours] = 24.0


class Tls(Section, frozen=True, kw_only=True):
    """TLS of a listener, when `certificate` is set."""

    certificate: str = ""
    key: str = ""
    client_ca: str = ""
    client_certificate: Literal["optional", "required"] = "optional"
    minimum_version: Literal["1.2", "1.3"] = "1.2"


class Mm7(HttpListener, frozen=True, kw_only=True):
    """VASPs."""

    port: Port = 8807
    realm: Quotable = "MM7"
    cancel_after_notification: Live[Literal["allow", "refuse"]] = "allow"
    delivery_condition_mms_capable: Live[Annotated[int, msgspec.Meta(ge=0)]] = 1
    delivery_condition_home_network: Live[Annotated[int, msgspec.Meta(ge=0)]] = 2
    application_addressing: Live[bool] = True
    content_class_mismatch: Live[Literal["accept", "refuse"]] = "accept"
    partial_success: Live[Literal["accept", "refuse_any", "single_only"]] = "accept"
    digest_algorithms: Annotated[tuple[Literal["SHA-256", "MD5"], ...], msgspec.Meta(min_length=1)] = ("SHA-256", "MD5")
    nonce_seconds: Seconds = 300.0
    trusted_proxies: tuple[str, ...] = ()
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    proxy_certificate_header: Annotated[str, msgspec.Meta(pattern=HEADER_NAME)] = ""
    tls: Tls = Tls()


class WebLink(HttpListener, frozen=True, kw_only=True):
    """The page behind a fallback SMS."""

    port: Port = 8802
    maximum_body_octets: Octets = 64 * KILO
    view_needs_tap: Live[bool] = False


class Console(Listener, frozen=True, kw_only=True):
    """Pages and REST, metrics and health. Off loopback it needs a token."""

    enabled: bool = False
    port: Port = 8800
    maximum_connections: Count = 200
    maximum_streams: Count = 60
    replay_hosts: tuple[Host, ...] = ()
    replay_targets: tuple[HostAndPort, ...] = ()
    token: Secret[Annotated[str, msgspec.Meta(pattern=TOKEN)]] = ""  # RFC 6750 2.1


class BuiltInSmsc(Place, frozen=True, kw_only=True):
    """An SMSC to play with, inside this process; `smsc` tables bind to it like to any other."""

    enabled: bool = False
    port: Port = 2775


class LimitSettings(Section, frozen=True, kw_only=True):
    """What one MM may cost."""

    maximum_octets: Live[Octets] = MEGA
    maximum_recipients: Live[Count] = 1000
    maximum_parts: Live[Count] = 100
    maximum_subject_characters: Live[Count] = 512
    maximum_forward_counter: Live[Count] = 5
    default_validity_hours: Live[Hours] = 72.0
    maximum_validity_hours: Live[Hours] = 720.0
    repeat_window_hours: Live[Hours] = 24.0
    maximum_octets_in_memory: Octets = 256 * MEGA
    maximum_submissions: Count = 1000
    maximum_submissions_of_one: Count = 500


class NumberSettings(Section, frozen=True, kw_only=True):
    """The number plan, and which numbers are ours."""

    country_code: Annotated[str, msgspec.Meta(pattern=COUNTRY_CODE)] = "1"
    national_prefix: Digits = ""
    national_length: Annotated[int, msgspec.Meta(ge=0, le=15)] = 10
    international_prefixes: tuple[Digits, ...] = ("00", "011")
    short_code_maximum_digits: Annotated[int, msgspec.Meta(ge=0, le=15)] = 6
    own_prefixes: Live[tuple[Prefix, ...]] = ("+",)
    unknown_subscribers_served: Live[bool] = True
    default_peer: Live[str] = ""
    default_smsc: Live[str] = ""


class Notification(Section, frozen=True, kw_only=True):
    """When a handset is told again."""

    renotify_after_seconds: Live[Waits] = (300.0, 900.0, 3600.0, 14400.0, 86400.0)
    unacknowledged_after_seconds: Live[Seconds] = 300.0
    unacknowledged_report: Live[bool] = True
    ignore_gets: Live[bool] = False
    manual_above_octets: Live[Bound] = 0


class Fallback(Section, frozen=True, kw_only=True):
    """The SMS with a web link, for handsets that cannot take an MM."""

    enabled: Live[bool] = True
    after_seconds: Live[Seconds] = 3600.0
    template: Live[str] = "You have a picture message: {url}"


class Deliveries(Section, frozen=True, kw_only=True):
    """How each kind of neighbour is tried again."""

    smsc: SmscDelivery = SmscDelivery()
    peer: PeerDelivery = PeerDelivery()
    vasp: VaspDelivery = VaspDelivery()


class Lanes(Section, frozen=True, kw_only=True):
    """The queue of each neighbour."""

    backlog: Count = 100
    first_pause_seconds: Seconds = 1.0
    longest_pause_seconds: Seconds = 60.0


class Cdr(Section, frozen=True, kw_only=True):
    """Charging data records, in files."""

    enabled: bool = False
    folder: str = ""
    format: Literal["jsonl", "csv", "both"] = "jsonl"
    rotate_minutes: Annotated[float, msgspec.Meta(gt=0, le=525_600)] = 15.0
    rotate_octets: Octets = 16 * MEGA
    write_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 1.0


class Log(Section, frozen=True, kw_only=True):
    """What is written to standard error. History is in the trace, not here."""

    level: Live[Literal["debug", "info", "warning", "error"]] = "warning"
    format: Literal["text", "json"] = "text"
    events: Live[bool] = False


class Settings(Section, frozen=True, kw_only=True):
    """The whole file."""

    node: Node = Node()
    log: Log = Log()
    store: StoreSettings = StoreSettings()
    retention: Retention = Retention()
    trace: Trace = Trace()
    cdr: Cdr = Cdr()
    limits: LimitSettings = LimitSettings()
    numbers: NumberSettings = NumberSettings()
    notification: Notification = Notification()
    fallback: Fallback = Fallback()
    delivery: Deliveries = Deliveries()
    lanes: Lanes = Lanes()
    mm1: Mm1 = Mm1()
    mmbox: Mmbox = Mmbox()
    mm3: Mm3 = Mm3()
    mm4: Mm4 = Mm4()
    mm7: Mm7 = Mm7()
    weblink: WebLink = WebLink()
    console: Console = Console()
    builtin_smsc: BuiltInSmsc = BuiltInSmsc()
    magic: Magic = Magic()
    faults: dict[Name, Fault] = field(default_factory=dict)
    mm7_profile: dict[Name, Mm7Profile] = field(default_factory=dict)
    vasp: dict[Name, Vasp] = field(default_factory=dict)
    peer: dict[Name, Peer] = field(default_factory=dict)
    smsc: dict[Name, Smsc] = field(default_factory=dict)
    subscriber: dict[str, Subscriber] = field(default_factory=dict)
