"""Pieces of MM7 elements to values (TS 23.140 8.7.8): lenient about prefixes, namespaces and spelling, exact about what
must be there. Names of elements are as the schema spells them; `where` is the place that an error tells."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

from lxml import etree

from protocols.mm7.messages import Address, AddressForm, SentAt, SentBy, Status
from protocols.mm7.namespaces import LISTED, Dialect
from protocols.mm7.soap import Mm7Error, local_name
from protocols.mm7.status import StatusCode

Found = dict[str, "etree._Element"]  # noqa: SLF001 (lxml has no other name for it)
Lists = tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]

# The children of an element, as `element[:]`: where they are few, lxml makes that list in half the time of a walk.
_inside: Final[Callable[[etree._Element], list[etree._Element]]] = itemgetter(slice(None))
_FORMS: Final = {form.value: form for form in AddressForm}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_VERSION: Final = 20  # characters
_LONGEST_STATUS_CODE: Final = 6  # digits
MISSPELLED: Final = {  # by clients in the field
    "EarlistDeliveryTime": "EarliestDeliveryTime",
    "EarlestDeliveryTime": "EarliestDeliveryTime",
    "AuxApplicId": "AuxApplicInfo",
    "AuxApplicID": "AuxApplicInfo",
    "ReplayChargingID": "ReplyChargingID",
}


def children(element: etree._Element) -> Found:
    """Children by local name, typing errors put right; the first of each counts."""
    found: Found = {}
    for one in _inside(element):
        tag: object = one.tag
        if isinstance(tag, str):
            name = tag.rpartition("}")[2]
            if name in MISSPELLED:
                name = MISSPELLED[name]
            if name not in found:
                found[name] = one
    return found


def text_of(found: Found, name: str) -> str:
    """What a child says, "" without it."""
    element = found.get(name)
    return "" if element is None else (element.text or "").strip()


def boolean(found: Found, name: str, where: str) -> bool | None:
    """What a child of type xs:boolean says, None without it. Raises Mm7Error 2007."""
    if name not in found:
        return None
    return truth(text_of(found, name), f"{where}/{name}")


def truth(text: str, where: str) -> bool:
    """xs:boolean in any letters. Raises Mm7Error 2007."""
    value = _BOOLEANS.get(text.strip().lower())
    if value is None:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=where, why=f"{text!r} is no boolean")
    return value


def _addresses(element: etree._Element) -> list[Address]:
    read: list[Address] = []
    for one in _inside(element):
        tag: object = one.tag
        form = _FORMS.get(tag.rpartition("}")[2]) if isinstance(tag, str) else None
        if form is None:
            continue
        value = (one.text or "").strip()
        if value:
            read.append(_described(one, value, form) if one.keys() else Address(value, form))
    return read


def _described(element: etree._Element, value: str, form: AddressForm) -> Address:
    display_only = _BOOLEANS.get(element.get("displayOnly", "").strip().lower()) is True
    return Address(value, form, display_only, element.get("addressCoding", ""), element.get("id", ""))


def one_address(element: etree._Element | None) -> Address | None:
    """One wrapped address, or REL-5's plain text; None without it, or where it is empty."""
    if element is None:
        return None
    wrapped = _addresses(element)
    if wrapped:
        return wrapped[0]
    text = (element.text or "").strip()
    return Address(text) if text else None


def needed_address(found: Found, name: str, where: str) -> Address:
    """A wrapped address that must be there. Raises Mm7Error 4004."""
    address = one_address(required(found, name, where))
    if address is None:
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=f"{where}/{name}", why="an empty address")
    return address


def recipient(found: Found, where: str) -> Address:
    """The Recipient of a report; Korean peers write Recipients. Raises Mm7Error 4004."""
    plural = "Recipients" in found and "Recipient" not in found
    return needed_address(found, "Recipients" if plural else "Recipient", where)


def required(found: Found, name: str, where: str) -> etree._Element:
    """A child that must be there. Raises Mm7Error 4004."""
    element = found.get(name)
    if element is None:
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=f"{where}/{name}", why="it is missing")
    return element


def needed_text(found: Found, name: str, where: str) -> str:
    """What a child says that must be there and say something. Raises Mm7Error 4004."""
    text = (required(found, name, where).text or "").strip()
    if not text:
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=f"{where}/{name}", why="it is empty")
    return text


def version(found: Found, where: str, spoken: Dialect) -> str:
    """MM7Version, without it the one that goes with the namespace. Raises Mm7Error 4002."""
    text = text_of(found, "MM7Version")
    if text in LISTED:
        return text
    if not text:
        return spoken.version
    if len(text) > _LONGEST_VERSION or [part.isdecimal() for part in text.split(".")] != [True, True, True]:
        raise Mm7Error(StatusCode.UNSUPPORTED_VERSION, where=f"{where}/MM7Version", why=f"{text!r} is no version")
    return text


def _letters(text: str) -> int:
    """How many characters, white space left out."""
    return len("".join(text.split()))


def recipients(message: etree._Element, where: str, *, needed: bool) -> Lists:
    """To, Cc and Bcc, of every Recipients there is. What stands there and is no address refuses the request: else
    somebody would get nothing, and his VASP would be told 1000. Raises Mm7Error 4004."""
    return recipients_in(message.iterchildren("{*}Recipients"), where, needed=needed)


def recipients_in(every: Iterable[etree._Element], where: str, *, needed: bool) -> Lists:
    """The same, of these Recipients."""
    lists: dict[str, list[Address]] = {"To": [], "Cc": [], "Bcc": []}
    written, read = "", ""
    for element in every:
        written += str(etree.tostring(element, encoding="unicode", method="text", with_tail=False))
        for one in _inside(element):
            name = local_name(one)
            if name in lists:
                addresses = _addresses(one)
                lists[name] += addresses
                read += "".join([address.value for address in addresses])
    unread = written != read and _letters(written) != _letters(read)
    if unread or (needed and not any(lists.values())):
        why = "text that is no address in To, Cc or Bcc" if unread else "no To, Cc or Bcc"
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=f"{where}/Recipients", why=why)
    return tuple(lists["To"]), tuple(lists["Cc"]), tuple(lists["Bcc"])


def sender(found: Found) -> tuple[str, str, Address | None]:
    """VASPID, VASID and SenderAddress of SenderIdentification."""
    inner = children(found["SenderIdentification"]) if "SenderIdentification" in found else {}
    return text_of(inner, "VASPID"), text_of(inner, "VASID"), one_address(inner.get("SenderAddress"))


def reply_charging(found: Found) -> tuple[str, str]:
    """The size in octets and the deadline of ReplyCharging, which is there. One client writes these as elements."""
    charging = found["ReplyCharging"]
    inner = found | children(charging)
    size = charging.get("replyChargingSize") or text_of(inner, "ReplyChargingSize")
    return size, charging.get("replyDeadline") or text_of(inner, "ReplyDeadline")


def distribution(found: Found, where: str) -> bool | None:
    """DistributionIndicator, or the DistributionProtection of REL-5-MM7-1-0, by its name its opposite."""
    if "DistributionProtection" in found:
        return not boolean(found, "DistributionProtection", where)
    return boolean(found, "DistributionIndicator", where)


def content(found: Found, where: str) -> tuple[str, bool | None]:
    """The href of Content ("" without one) and allowAdaptations. Raises Mm7Error 2007."""
    element = found.get("Content")
    if element is None:
        return "", None
    if element.keys() == ["href"]:  # nearly always
        return element.get("href", "").strip(), None
    allow = element.get("allowAdaptations")
    return _href(element), None if allow is None else truth(allow, f"{where}/Content/allowAdaptations")


def _href(element: etree._Element) -> str:
    """The href, also where a sender qualified the attribute."""
    for name in element.attrib:  # names alone: libxml2 walks all attributes for the value of each
        if str(name).rpartition("}")[2] == "href":
            return element.get(name, "").strip()
    return ""


def capabilities(found: Found) -> tuple[str, str]:
    """UAProf and TimeStamp of UACapabilities."""
    element = found.get("UACapabilities")
    return ("", "") if element is None else (element.get("UAProf", ""), element.get("TimeStamp", ""))


def sent_by(found: Found) -> tuple[SentBy, ...]:
    """Previouslysentby: whoever passed the MM on."""
    agents = found.get("Previouslysentby", ())
    pairs = ((one_address(one), one.get("sequence", "")) for one in agents if local_name(one) == "UserAgent")
    return tuple(SentBy(address=address, sequence=sequence) for address, sequence in pairs if address is not None)


def sent_at(found: Found) -> tuple[SentAt, ...]:
    """Previouslysentdateandtime: when they did."""
    times = (one for one in found.get("Previouslysentdateandtime", ()) if local_name(one) == "DateTime")
    return tuple(SentAt(date=(one.text or "").strip(), sequence=one.get("sequence", "")) for one in times)


def status(found: Found, where: str) -> Status:
    """Status, its Details as text. Raises Mm7Error 4004 without it, 2007 for a StatusCode that is no number."""
    inner = children(required(found, "Status", where))
    code = text_of(inner, "StatusCode")
    if not code.isdecimal() or len(code) > _LONGEST_STATUS_CODE:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=f"{where}/Status", why=f"StatusCode {code!r}")
    details = inner.get("Details")
    text = "" if details is None else "".join(str(piece) for piece in details.itertext()).strip()
    return Status(StatusCode(int(code)), text_of(inner, "StatusText"), text)
