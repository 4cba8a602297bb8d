"""The checking schema of MM7 bodies, one per namespace, made from one text. Compiled when first asked for."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from protocols.mm7.namespaces import BASE, LATEST, TAGS, Dialect

_TEXT: Final = files(__name__).joinpath("mm7-rel6-1-4.xsd").read_text(encoding="utf-8")
_REL_6_ELEMENTS: Final = (
    "ApplicID|AuxApplicInfo|ChargedPartyID|ContentClass|DRMContent|DeliveryCondition|MMStatusExtension|Previouslysentby"
    "|Previouslysentdateandtime|RecipientSPI|ReplyApplicID|SenderSPI|UACapabilities"
)
_REL_6_WORDS: Final = "Deferred|DeliveryConditionNotMet|ThirdParty|Unrecognised"
_REL_6_ONLY: Final = re.compile(
    rf'<xs:element name="(?:{_REL_6_ELEMENTS})" type="[^"]*" minOccurs="0"/>'
    rf'|<xs:enumeration value="(?:{_REL_6_WORDS})"/>'
    r'|<xs:attribute name="(?:addressCoding|id)" type="[^"]*"/>'
)
_EXTENDED: Final = re.compile(r'<xs:element name="extended\w+" type="\w+"/>')
_DATE: Final = '<xs:element name="Date" type="xs:dateTime"/>'
_DELIVER_RSP: Final = re.compile(
    r'(<xs:complexType name="DeliverRspT">.*?)<xs:element name="ServiceCode"[^>]*>', re.DOTALL
)


def text_for(dialect: Dialect) -> str:
    """The schema's text for a dialect: its namespace, and what its release spells differently or does not have."""
    text = _TEXT.replace(BASE + LATEST, escape(dialect.namespace))
    if dialect.is_rel5:
        text = _REL_6_ONLY.sub("", text)
    if not dialect.has_extended:
        text = _EXTENDED.sub("", text)
    if not dialect.answers_service_code:
        text = _DELIVER_RSP.sub(r"\1", text)
    if dialect.plain_sender_address:
        text = text.replace('name="SenderAddress" type="AddressT"', 'name="SenderAddress" type="xs:string"')
    if dialect.protects_distribution:
        text = text.replace('name="DistributionIndicator"', 'name="DistributionProtection"')
    if dialect.report_date_element != "Date":
        text = text.replace(_DATE, f'<xs:element name="{dialect.report_date_element}" type="xs:dateTime"/>')
    return text


@lru_cache(maxsize=2 * len(TAGS))
def compiled(dialect: Dialect) -> etree.XMLSchema:
    """The compiled schema. At most two for each published tag are kept: its name may end in ".xsd"."""
    return etree.XMLSchema(etree.fromstring(text_for(dialect).encode()))
