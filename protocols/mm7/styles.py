"""Styles: how peers spell MM7 where they do not keep to the standard (TS 23.140 8.7.8).

A `Dialect` is what a namespace says differently; a `Style` is what an implementation gets wrong, or insists on. The
default one is the standard itself. Only what we write has a style: readers forgive all of them.
"""

from protocols.records import record

Names = tuple[tuple[str, tuple[str, ...]], ...]  # (element, names of children)
Words = tuple[tuple[str, str], ...]  # (the standard's word, the peer's)


@record(frozen=True, slots=True, kw_only=True)
class Style:
    """How a message is spelled. Names of elements are those that are written."""

    # The envelope (SOAP 1.1 4).
    declaration: bool = True  # <?xml version="1.0" encoding="..."?>
    charset: str = "UTF-8"  # told in the declaration and in Content-Type; what it lacks is written &#N;
    envelope_prefix: str = "env"
    must_understand_body: bool = False  # env:mustUnderstand="1" on the body's child, too
    encoding_style: bool = False  # env:encodingStyle="" on TransactionID
    # Names.
    mm7_prefix: str = "mm7"
    prefixed: bool = False  # <mm7:SubmitRsp xmlns:mm7="...">, else <SubmitRsp xmlns="...">
    unqualified_children: bool = False  # where it is prefixed, what is inside is in no namespace
    order: Names = ()  # of children: these first, the others behind them as the schema has them
    omitted: Names = ()  # children that are left out
    # Values.
    type_plmn: bool = False  # /TYPE=PLMN behind each Number
    mailbox_domain: str = ""  # Number and ShortCode are written RFC2822Address, at this domain
    plain_addresses: tuple[str, ...] = ()  # elements, as PARENT/NAME, that hold an address as text, not wrapped
    time_zone: str = "Z"  # Z, +hh:mm, -hh:mm; "" for none
    milliseconds: bool = False
    encoded_subject: bool = False  # RFC 2047
    no_subject: str = ""  # what a DeliverReq without Subject says
    # Reports.
    report_date: str = ""  # Date or TimeStamp; "" as the namespace has it
    report_recipients: bool = False  # Recipients, not Recipient
    swapped_report: bool = False  # Sender holds the recipient, Recipient the sender
    mm_statuses: Words = ()  # of MMStatus; `Rejected/EXTENSION` goes before `Rejected`, `*` is any other
    status_texts: Words = ()  # StatusText by the standard's MMStatus
    status_error_codes: Words = ()  # an MMSStatusErrorCode behind MMStatus, by the standard's MMStatus
    # Faults (SOAP 1.1 4.4).
    qualified_fault: bool = False  # env:faultcode, env:faultstring, env:detail
    fault_detail: str = "RSErrorRsp"  # RSErrorRsp; Status: it alone; "": no detail at all
    # Attachments (SOAP Messages with Attachments).
    qualified_href: bool = False  # mm7:href
    spaced_href: bool = False  # "cid: ID"
    spaced_content: bool = False  # <Content href="..."> </Content>
    soap_content_id: bool = True  # of the SOAP part, and `start` that names it
    bare_content_id: bool = False  # without its <>
    content_id_header: str = "Content-ID"
    capitalised_parameters: bool = False  # Type= Start= Name=
    upper_case_base64: bool = False
