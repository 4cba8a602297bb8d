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
    "ApplicID|AuxApplicInfo|ChargedPartyID|ContentClass|DRMContent|DeliveryCondition|MMStatusExtension|ReplyApplicID"
    "|UACapabilities"
)
_REL_6_WORDS: Final = "Deferred|DeliveryConditionNotMet|ThirdParty|Unrecognised"
_REL_6_ONLY: Final = re.compile(
    rf'<xs:element name="(?:{_REL_6_ELEMENTS})" type="[^"]*" minOccurs="0"/>'
    rf'|<xs:enumeration value="(?:{_REL_6_WORDS})"/>'
)


def text_for(dialect: Dialect) -> str:
    """The schema's text for a dialect: its namespace, and what its release spells differently."""
    text = _TEXT.replace(BASE + LATEST, escape(dialect.namespace))
    if dialect.is_rel5:
        text = _REL_6_ONLY.sub("", text)
    if dialect.plain_sender_address:
        text = text.replace('name="SenderAddress" type="AddressT"', 'name="SenderAddress" type="xs:string"')
    if dialect.protects_distribution:
        text = text.replace('name="DistributionIndicator"', 'name="DistributionProtection"')
    if dialect.report_date_element != "Date":
        date = f'<xs:element name="{dialect.report_date_element}" type="xs:dateTime"/>'
        text = text.replace('<xs:element name="Date" type="xs:dateTime"/>', date)
    return text


@lru_cache(maxsize=2 * len(TAGS))
def compiled(dialect: Dialect) -> etree.XMLSchema:
    """The compiled schema. At most two for each published tag are kept: its name may end in ".xsd"."""
    return etree.XMLSchema(etree.fromstring(text_for(dialect).encode()))
