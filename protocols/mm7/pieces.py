"""Pieces of MM7 messages as XML text (TS 23.140 8.7.8). What is not set is "": its element is left out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from protocols.mm7.messages import Address, SentAt, SentBy, Status
from protocols.mm7.namespaces import Dialect

quoted: Final = lru_cache(maxsize=64)(quoteattr)  # of a namespace, whose tag may be anybody's
_FORBIDDEN: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "\ufffd")


def clean(text: str) -> str:
    """Escaped, without characters that XML 1.0 has no place for."""
    if text.isascii() and text.isprintable() and "&" not in text and "<" not in text and ">" not in text:
        return text  # as nearly every value is
    return escape(text.translate(_FORBIDDEN))


def _attribute(name: str, text: str) -> str:
    return f" {name}={quoteattr(text.translate(_FORBIDDEN))}" if text else ""


def element(name: str, text: str) -> str:
    """An element with text."""
    return f"<{name}>{clean(text)}</{name}>" if text else ""


def boolean(name: str, value: bool | None) -> str:
    """An element of type xs:boolean."""
    return "" if value is None else f"<{name}>{'true' if value else 'false'}</{name}>"


def address(value: Address, spoken: Dialect) -> str:
    """Number, RFC2822Address or ShortCode. REL-5 has no coded addresses."""
    attributes = ' displayOnly="true"' if value.display_only else ""
    if (value.coding or value.id) and not spoken.is_rel5:
        attributes += _attribute("addressCoding", value.coding) + _attribute("id", value.id)
    return f"<{value.form.value}{attributes}>{clean(value.value)}</{value.form.value}>"


def recipients(
    to: Sequence[Address], cc: Sequence[Address], bcc: Sequence[Address], spoken: Dialect, name: str = "Recipients"
) -> str:
    """Recipients with To, Cc and Bcc, as far as there are any."""
    lists = "".join(
        f"<{part}>{''.join([address(one, spoken) for one in addresses])}</{part}>"
        for part, addresses in (("To", to), ("Cc", cc), ("Bcc", bcc))
        if addresses
    )
    return f"<{name}>{lists}</{name}>" if lists else ""


def sender(vasp_id: str, vas_id: str, sender_address: Address | None, spoken: Dialect) -> str:
    """SenderIdentification, which stands there also when it is empty."""
    inner = element("VASPID", vasp_id) + element("VASID", vas_id)
    if sender_address is not None:
        plain = spoken.plain_sender_address
        written = clean(sender_address.value) if plain else address(sender_address, spoken)
        inner += f"<SenderAddress>{written}</SenderAddress>"
    return f"<SenderIdentification>{inner}</SenderIdentification>"


def reply_charging(size: str, deadline: str) -> str:
    """ReplyCharging: its being there asks for it."""
    return f"<ReplyCharging{_attribute('replyChargingSize', size)}{_attribute('replyDeadline', deadline)}/>"


def distribution(value: bool | None, spoken: Dialect) -> str:
    """DistributionIndicator, in REL-5-MM7-1-0 its opposite DistributionProtection."""
    if spoken.protects_distribution and value is not None:
        return boolean("DistributionProtection", not value)
    return boolean("DistributionIndicator", value)


def content(href: str, allow: bool | None) -> str:
    """Content, which names its part."""
    if not href:
        return ""
    attribute = "" if allow is None else f' allowAdaptations="{"true" if allow else "false"}"'
    return f"<Content href={quoteattr(href)}{attribute}/>"


def capabilities(ua_prof: str, time_stamp: str) -> str:
    """UACapabilities of a terminal."""
    attributes = _attribute("UAProf", ua_prof) + _attribute("TimeStamp", time_stamp)
    return f"<UACapabilities{attributes}/>" if attributes else ""


def sent_by(agents: Sequence[SentBy], spoken: Dialect) -> str:
    """Previouslysentby."""
    inner = "".join(
        f"<UserAgent{_attribute('sequence', one.sequence)}>{address(one.address, spoken)}</UserAgent>" for one in agents
    )
    return f"<Previouslysentby>{inner}</Previouslysentby>" if inner else ""


def sent_at(times: Sequence[SentAt]) -> str:
    """Previouslysentdateandtime."""
    inner = "".join(f"<DateTime{_attribute('sequence', one.sequence)}>{clean(one.date)}</DateTime>" for one in times)
    return f"<Previouslysentdateandtime>{inner}</Previouslysentdateandtime>" if inner else ""


def status(value: Status) -> str:
    """Status: code first, for whoever looks for it there."""
    text = value.text or value.code.text
    return (
        f"<Status><StatusCode>{int(value.code)}</StatusCode><StatusText>{clean(text)}</StatusText>"
        f"{element('Details', value.details)}</Status>"
    )
