"""The neighbours as the engine and the gateways know them. They live in the store; the config file's are upserted at
start. Names are unique within a kind and appear in lanes (`vasp:NAME`, `peer:NAME`, `smsc:NAME`)."""

from enum import StrEnum

from mmsc.domain.address import Address, Rewrite
from mmsc.domain.instant import Instant
from mmsc.domain.mm7_profile import Mm7Profile
from mmsc.domain.vasp_policy import PartialSuccess
from protocols.records import record


class Repeats(StrEnum):
    """What makes a request the same request again, for one neighbour."""

    CONTENT = "content"  # identifier and content (default)
    IDENTIFIER = "identifier"
    OFF = "off"


class FallbackReport(StrEnum):
    """When a message that went out as a web link counts as delivered."""

    VIEWED = "viewed"  # Retrieved at the first view, Expired when nobody looked
    SMS_DELIVERED = "sms_delivered"  # Indeterminate when the SMSC says delivered, nothing later


class DeliverContent(StrEnum):
    """How a VASP wants the content of a DeliverReq (TS 23.140 8.7.8: one part, or one that is a multipart)."""

    RELATED = "related"  # multipart/related with the presentation first; multipart/mixed where there is none
    MIXED = "mixed"  # multipart/mixed, without the presentation
    SINGLE = "single"  # the medium alone when there is only one; else as related


class TransferEncoding(StrEnum):
    """Content-Transfer-Encoding of the parts of a DeliverReq (RFC 2045 6)."""

    BINARY = "binary"
    BASE64 = "base64"


class UnknownLinkedId(StrEnum):
    """What becomes of a SubmitReq whose LinkedID names no MM that was delivered to its VASP."""

    REFUSE = "refuse"  # 2006
    ACCEPT = "accept"  # with a remark in the trace


class VaspInterface(StrEnum):
    """What a VASP speaks."""

    MM7 = "mm7"  # SOAP (TS 23.140 8.7)
    EAIF = "eaif"  # Nokia's External Application Interface: MMS PDUs over HTTP


@record(frozen=True, slots=True, kw_only=True)
class Vasp:
    """A value-added service provider on MM7 or EAIF."""

    name: str
    vasp_id: str = ""  # "" accepts any
    vas_ids: tuple[str, ...] = ()  # empty accepts any
    username: str = ""  # "" asks for no credentials
    password_hash: str = ""  # scrypt, as `mmsc.gateways.mm7.vasp` writes it; "" refuses HTTP Basic
    ha1_md5: str = ""  # RFC 7616 3.4.2, for HTTP Digest; "" refuses the algorithm
    ha1_sha256: str = ""
    client_certificates: tuple[str, ...] = ()  # CN=, SAN=, SHA256=, SHA1=; empty asks for none
    networks: tuple[str, ...] = ()  # where it may send from; empty: anywhere
    report_url: str = ""  # "" sends no reports
    proxy_url: str = ""  # CONNECT goes there first; "": the connection is direct
    tls_ca_file: str = ""  # PEM; "": what the system trusts
    tls_certificate_file: str = ""  # ours, PEM; "": none
    tls_key_file: str = ""  # "": in the certificate's file
    tls_server_name: str = ""  # "": the host of the address
    tls_verify: bool = True
    tls_minimum_version: str = "1.2"
    deliver_url: str = ""  # where DeliverReq goes; "" is `report_url`
    deliver_content: DeliverContent = DeliverContent.RELATED
    deliver_encoding: TransferEncoding = TransferEncoding.BINARY
    unknown_linked_id: UnknownLinkedId = UnknownLinkedId.REFUSE
    unknown_recipient_status: int = 2002  # or 2003: where nobody of a SubmitReq is known
    report_without_url: str = "accept"  # accept | refuse: a SubmitReq that asks for reports, without `report_url`
    short_codes: tuple[str, ...] = ()
    sender: str = ""  # used when a SubmitReq names none
    namespace: str = ""  # what we originate; "" follows the VASP's last request
    mm7_version: str = ""
    errors: str = "auto"  # rsp | fault | auto
    fault_http_status: int = 500
    profile: Mm7Profile | None = None  # what else its dialect does to what we write; None: nothing
    delivered_as: "Vasp | None" = None  # as `deliver_url` is written to, where that speaks another dialect
    relayed_reports: bool = False  # a report Forwarded when another system took the MM ("sent to the network")
    deferred_reports: bool = False
    violations: str = "tolerate"  # of our rules (`mmsc explain`): tolerate, with a finding, or refuse (4004)
    repeats: Repeats = Repeats.CONTENT
    fallback_report: FallbackReport = FallbackReport.VIEWED
    run: str = ""  # the run tag of what it submits without one
    rewrites: tuple[Rewrite, ...] = ()  # of numbers that it names
    rewrites_out: tuple[Rewrite, ...] = ()  # of numbers that it is told
    maximum_octets: int = 0  # 0: the server's own limit
    senders: tuple[str, ...] = ()  # normalised addresses, or their beginnings with * behind; empty: any
    content_types: tuple[str, ...] = ()  # of its parts, image/* for all of a kind; empty: any
    maximum_recipients: int = 0  # of one MM; 0: the server's own limit
    messages_per_second: float = 0.0  # SubmitReq and extendedReplaceReq; 0: no limit
    burst: int = 0  # that many at once; 0: what a second allows
    over_rate: str = "4006"  # 4006 | 503
    credits: int = -1  # recipients altogether; -1: no limit
    concurrency: int = 4
    applic_ids: tuple[str, ...] = ()  # applications that it may address, and be answered at; empty: any
    coded_addresses: tuple[tuple[str, str], ...] = ()  # (value or id of a coded address, its number)
    partial_success: PartialSuccess | None = None  # None: as for all VASPs
    interface: VaspInterface = VaspInterface.MM7
    eaif_version: str = "3.0"  # X-NOKIA-MMSC-Version of what we send
    eaif_answer: str = "conf"  # conf: 200 with an m-send-conf; no_content: 204
    eaif_message: str = "send_req"  # send_req | retrieve_conf: the PDU of a message to it
    eaif_read_report: str = "orig"  # orig | rec: m-read-orig-ind or m-read-rec-ind
    eaif_asynch_reply_to: str = ""  # where it shall send asynchronous answers; "" does not say

    @property
    def delivers_to(self) -> str:
        """The address of its DeliverReq, "" for none."""
        return self.deliver_url or self.report_url


@record(frozen=True, slots=True, kw_only=True)
class Peer:
    """A foreign MMSC on MM4."""

    name: str
    domain: str  # its part after the @
    host: str
    port: int = 25
    prefixes: tuple[str, ...] = ()  # numbers that live there, in normalised form (`+1666`)
    addresses: tuple[str, ...] = ()  # IP addresses or networks it sends from; empty: any, recognised by domain
    ack_request: bool = True
    mm4_version: str = "6.10.0"
    maximum_octets: int = 300 * 1024
    repeats: Repeats = Repeats.CONTENT
    unknown_recipient: str = "rcpt"  # rcpt: 550 at RCPT; res: 250 and a RES
    rewrites: tuple[Rewrite, ...] = ()  # of numbers that it names
    rewrites_out: tuple[Rewrite, ...] = ()  # of numbers that it is told
    concurrency: int = 4


@record(frozen=True, slots=True, kw_only=True)
class Smsc:
    """An SMSC we bind to as an ESME."""

    name: str
    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = "mmsc"
    password: str = ""
    system_type: str = ""
    bind: str = "transceiver"  # transceiver | transmitter
    source: str = ""  # source_addr of pushes and link SMS
    source_ton: int = 0
    source_npi: int = 0
    window: int = 10
    sessions: int = 1
    push_form: str = "udh"  # udh | sar | payload | payload_udh (OMA push over SMPP has several spellings)
    data_coding: int = 0xF5
    receipts: bool = False  # ask for receipts of pushes; a link SMS asks when its report depends on it
    rewrites_out: tuple[Rewrite, ...] = ()  # of numbers that it is told


class MmsFlag(StrEnum):
    """What the operator's database says about a subscriber."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@record(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A number of ours: the operator's flag and what its MM1 requests showed."""

    address: Address
    mms: MmsFlag = MmsFlag.UNKNOWN
    smsc: str = ""  # "" is the default SMSC
    run: str = ""  # the run tag of what it sends
    ip: str = ""  # static identity for labs without an enriching gateway
    user_agent: str = ""
    profile_url: str = ""
    mms_version: int = 0  # of its last PDU, 0x12 for 1.2; 0: never spoke
    seen_at: Instant | None = None


class Verdict(StrEnum):
    """Whether a subscriber can take an MM."""

    CAPABLE = "capable"  # notify
    INCAPABLE = "incapable"  # SMS with a link at once
    UNKNOWN = "unknown"  # notify, fall back after a timer


@record(frozen=True, slots=True)
class Capability:
    """The verdict and its evidence, strongest first: what decided, in words."""

    verdict: Verdict
    evidence: tuple[str, ...]
    mms_version: int = 0x12
