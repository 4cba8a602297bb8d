"""Round trips over every field of every PDU of MM1 (OMA-TS-MMS_ENC 6, 7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import mm1
from protocols.mm1.headers import HEADERS
from protocols.mm1.values import ELEMENT
from protocols.octets import OctetReader, OctetWriter
from tests.protocols.mm1_strategies import OF_CLASS, PDUS, rows_of, values_of


@pytest.mark.parametrize("cls", PDUS, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=40)
def test_what_is_written_is_read_the_same(cls: type[mm1.Pdu], data: st.DataObject) -> None:
    pdu = data.draw(OF_CLASS[cls])
    octets = mm1.encode(pdu)
    assert mm1.decode(octets).message == pdu
    assert mm1.encode(mm1.decode(octets).message) == octets
    views = mm1.describe(octets)
    assert [one.start for one in views] == [0, *(one.end for one in views[:-1])], "no octet is left out"
    assert views[-1].end == len(octets)


def test_every_field_and_every_form_is_made_up_somewhere() -> None:
    """But for the two that are never headers, only tokens of X-Mms-Attributes."""
    listed = {row.wire_name for cls in PDUS for row in rows_of(cls).values()} | {"X-Mms-Message-Type"}
    assert listed == {row.wire_name for row in HEADERS} - {"Content", "Additional-headers"}
    for cls in PDUS:
        for row in rows_of(cls).values():
            values_of(row)


@pytest.mark.parametrize(
    ("octets", "parameters"),
    [
        ("6100 82 9d", (("type", "image/gif"),)),
        ("6100 82 766964656f2f33677000", (("type", "video/3gp"),)),
        ("6100 6e00 7800 829d", (("n", "x"), ("type", "image/gif"))),
        ("6100 6e616d6500 7800", (("name", "x"),)),
    ],
)
def test_the_type_of_an_element_has_a_number_of_its_own(octets: str, parameters: tuple[tuple[str, str], ...]) -> None:
    """X-Mms-Element-Descriptor (7.3.18): 0x02, which WSP has for level; no other parameter has one. WSP's 0x09 is read,
    too."""
    written = bytes((len(bytes.fromhex(octets)),)) + bytes.fromhex(octets)
    element = mm1.Element("a", parameters)
    writer = OctetWriter()
    ELEMENT.write(writer, element)
    assert writer.getvalue() == written
    assert ELEMENT.read(OctetReader(written)) == element
    assert ELEMENT.read(OctetReader(written.replace(b"\x82", b"\x89"))) == element
