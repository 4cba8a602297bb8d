"""Dialect profiles: what a VASP's side gets wrong about MM7, or insists on, as values (TS 23.140 8.7.8)."""

from protocols.records import record

Names = tuple[tuple[str, tuple[str, ...]], ...]
Words = tuple[tuple[str, str], ...]


@record(frozen=True, slots=True, kw_only=True)
class Mm7Profile:
    """How a VASP is written to. It has every field of `protocols.mm7.Style`, which says what they mean, and those that
    are about HTTP or about values of ours. What is read from the VASP is read leniently whatever it says."""

    name: str = ""
    # As in Style.
    declaration: bool = True
    charset: str = "UTF-8"
    envelope_prefix: str = "env"
    must_understand_body: bool = False
    encoding_style: bool = False
    mm7_prefix: str = "mm7"
    prefixed: bool = False
    unqualified_children: bool = False
    order: Names = ()
    omitted: Names = ()
    type_plmn: bool = False
    mailbox_domain: str = ""
    plain_addresses: tuple[str, ...] = ()
    time_zone: str = "Z"
    milliseconds: bool = False
    encoded_subject: bool = False
    no_subject: str = ""
    report_date: str = ""
    report_recipients: bool = False
    swapped_report: bool = False
    mm_statuses: Words = ()
    status_texts: Words = ()
    status_error_codes: Words = ()
    qualified_fault: bool = False
    fault_detail: str = "RSErrorRsp"
    qualified_href: bool = False
    spaced_href: bool = False
    spaced_content: bool = False
    soap_content_id: bool = True
    bare_content_id: bool = False
    content_id_header: str = "Content-ID"
    capitalised_parameters: bool = False
    upper_case_base64: bool = False
    # The gateway's own.
    soap_action: str = "quoted"  # quoted: "" | empty | namespace | none: no such header
    http_headers: Words = ()  # of what we send and answer
    server_id: str = ""  # MMSRelayServerID; "" is our domain
    status_codes: tuple[tuple[str, int], ...] = ()  # `CODE WHERE`, or `CODE`, of the standard: the code that is told
    ua_model: bool = False  # UAProf of UACapabilities holds the User-Agent, not the profile's address
