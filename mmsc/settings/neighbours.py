"""The neighbours as the file names them: `[vasp.NAME]`, `[peer.NAME]`, `[smsc.NAME]`, `[subscriber."+NUMBER"]`."""

from typing import Annotated, Literal

import msgspec

from mmsc.settings.base import (
    CERTIFICATE_NAME,
    HA1_MD5,
    HA1_SHA256,
    MEDIA_PATTERN,
    NUMBERED,
    PASSWORD_HASH,
    SENDER_PATTERN,
    Count,
    Domain,
    Host,
    Hours,
    Live,
    Octets,
    Port,
    Prefix,
    ProxyUrl,
    RunTag,
    Seconds,
    Secret,
    Section,
    SmppText,
    Text,
    Url,
    Waits,
)

Repeats = Literal["content", "identifier", "off"]
ZeroOrOctets = Annotated[int, msgspec.Meta(ge=0)]
ZeroOrCount = Annotated[int, msgspec.Meta(ge=0)]


class Rewrite(Section, frozen=True, kw_only=True):
    """Numbers that begin with `prefix` begin with `becomes` instead; the first that fits counts."""

    prefix: Text
    becomes: Text


class Vasp(Section, frozen=True, kw_only=True):
    """A value-added service provider on MM7 or EAIF."""

    vasp_id: Live[Text] = ""
    vas_ids: Live[tuple[Text, ...]] = ()
    username: Live[Text] = ""
    password: Live[Secret[str]] = ""
    password_hash: Live[Secret[Annotated[str, msgspec.Meta(pattern=PASSWORD_HASH)]]] = ""
    authentication: Live[Literal["basic", "digest", "either"]] = "basic"
    ha1_md5: Live[Secret[Annotated[str, msgspec.Meta(pattern=HA1_MD5)]]] = ""
    ha1_sha256: Live[Secret[Annotated[str, msgspec.Meta(pattern=HA1_SHA256)]]] = ""
    client_certificates: Live[tuple[Annotated[str, msgspec.Meta(pattern=CERTIFICATE_NAME)], ...]] = ()
    networks: Live[tuple[str, ...]] = ()
    report_url: Live[Url] = ""
    proxy_url: Live[ProxyUrl] = ""
    tls_ca_file: Live[str] = ""
    tls_certificate_file: Live[str] = ""
    tls_key_file: Live[str] = ""
    tls_server_name: Live[Text] = ""
    tls_verify: Live[bool] = True
    tls_minimum_version: Live[Literal["1.2", "1.3"]] = "1.2"
    deliver_url: Live[Url] = ""
    deliver_content: Live[Literal["", "related", "mixed", "single"]] = ""
    deliver_encoding: Live[Literal["", "binary", "base64"]] = ""
    unknown_linked_id: Live[Literal["refuse", "accept"]] = "refuse"
    unknown_recipient_status: Live[Literal[2002, 2003]] = 2002
    report_without_url: Live[Literal["accept", "refuse"]] = "accept"
    short_codes: Live[tuple[Text, ...]] = ()
    sender: Live[Text] = ""
    profile: Live[Text] = ""
    deliver_profile: Live[Text] = ""
    namespace: Live[Text] = ""
    mm7_version: Live[Text] = ""
    errors: Live[Literal["", "auto", "rsp", "fault"]] = ""
    fault_http_status: Live[Literal[0, 200, 400, 500]] = 0
    deferred_reports: Live[bool] = False
    violations: Live[Literal["tolerate", "refuse"]] = "tolerate"
    repeats: Live[Repeats] = "content"
    fallback_report: Live[Literal["viewed", "sms_delivered"]] = "viewed"
    rewrites: Live[tuple[Rewrite, ...]] = ()
    rewrites_out: Live[tuple[Rewrite, ...]] = ()
    maximum_octets: Live[ZeroOrOctets] = 0
    senders: Live[tuple[Annotated[str, msgspec.Meta(pattern=SENDER_PATTERN, min_length=1)], ...]] = ()
    content_types: Live[tuple[Annotated[str, msgspec.Meta(pattern=MEDIA_PATTERN)], ...]] = ()
    maximum_recipients: Live[ZeroOrCount] = 0
    messages_per_second: Live[Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]] = 0.0
    burst: Live[Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]] = 0
    over_rate: Live[Literal["4006", "503"]] = "4006"
    credits: Live[Annotated[int, msgspec.Meta(ge=-1, le=1_000_000_000_000)]] = -1
    concurrency: Live[Count] = 4
    applic_ids: Live[tuple[Text, ...]] = ()
    coded_addresses: Live[dict[Text, Prefix]] = msgspec.field(default_factory=dict)
    partial_success: Live[Literal["server", "accept", "refuse_any", "single_only"]] = "server"
    interface: Live[Literal["mm7", "eaif"]] = "mm7"
    eaif_version: Live[Annotated[str, msgspec.Meta(pattern=NUMBERED)]] = "3.0"
    eaif_answer: Live[Literal["conf", "no_content"]] = "conf"
    eaif_message: Live[Literal["send_req", "retrieve_conf"]] = "send_req"
    eaif_read_report: Live[Literal["orig", "rec"]] = "orig"
    eaif_asynch_reply_to: Live[Url] = ""
    run: Live[RunTag] = ""


class Peer(Section, frozen=True, kw_only=True):
    """A foreign MMSC on MM4."""

    domain: Live[Domain]
    host: Live[Host]
    port: Live[Port] = 25
    prefixes: Live[tuple[Prefix, ...]] = ()
    addresses: Live[tuple[str, ...]] = ()
    ack_request: Live[bool] = True
    mm4_version: Live[Text] = "6.10.0"
    maximum_octets: Live[Octets] = 300 * 1024
    repeats: Live[Repeats] = "content"
    unknown_recipient: Live[Literal["rcpt", "res"]] = "rcpt"
    rewrites: Live[tuple[Rewrite, ...]] = ()
    rewrites_out: Live[tuple[Rewrite, ...]] = ()
    concurrency: Live[Count] = 4


class Smsc(Section, frozen=True, kw_only=True):
    """An SMSC we bind to as an ESME."""

    host: Live[Host] = "127.0.0.1"
    port: Live[Port] = 2775
    system_id: Live[Annotated[SmppText, msgspec.Meta(max_length=15)]] = "mmsc"  # SMPP v3.4 5.2.1
    password: Live[Secret[Annotated[SmppText, msgspec.Meta(max_length=8)]]] = ""  # SMPP v3.4 5.2.2
    system_type: Live[Annotated[SmppText, msgspec.Meta(max_length=12)]] = ""  # SMPP v3.4 5.2.3
    bind: Live[Literal["transceiver", "transmitter"]] = "transceiver"
    source: Live[Annotated[SmppText, msgspec.Meta(max_length=20)]] = ""  # SMPP v3.4 5.2.8
    source_ton: Live[Annotated[int, msgspec.Meta(ge=0, le=255)]] = 0
    source_npi: Live[Annotated[int, msgspec.Meta(ge=0, le=255)]] = 0
    window: Live[Count] = 10
    sessions: Live[Count] = 1
    push_form: Live[Literal["udh", "sar", "payload", "payload_udh"]] = "udh"
    data_coding: Live[Annotated[int, msgspec.Meta(ge=0, le=255)]] = 0xF5
    receipts: Live[bool] = False
    rewrites_out: Live[tuple[Rewrite, ...]] = ()


class Subscriber(Section, frozen=True, kw_only=True):
    """A number of ours."""

    mms: Live[Literal["on", "off", "unknown"]] = "unknown"
    smsc: Live[str] = ""
    ip: Live[str] = ""
    run: Live[RunTag] = ""


class Delivery(Section, frozen=True, kw_only=True):
    """How a kind of neighbour is tried again."""

    waits_seconds: Live[Waits] = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
    lifetime_hours: Live[Hours] = 72.0
    timeout_seconds: Live[Seconds] = 30.0


class SmscDelivery(Delivery, frozen=True, kw_only=True):
    """An SMSC that does not answer a submit_sm in ten seconds is gone."""

    timeout_seconds: Live[Seconds] = 10.0


class PeerDelivery(Delivery, frozen=True, kw_only=True):
    """Mail systems take their time and dislike haste."""

    waits_seconds: Live[Waits] = (30.0, 60.0, 300.0, 900.0, 3600.0)
    timeout_seconds: Live[Seconds] = 60.0


class VaspDelivery(Delivery, frozen=True, kw_only=True):
    """VASPs answer over HTTP, perhaps behind a proxy."""

    connect_seconds: Live[Seconds] = 10.0
    maximum_answer_octets: Live[Octets] = 256 * 1024
    proxy_url: Live[ProxyUrl] = ""
