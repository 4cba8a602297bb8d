"""smpp34's codec reads what ours writes, field by field, and writes the same octets."""

import pytest
import smpp34

from protocols import smpp
from tests.cases import Case, cases

pytestmark = pytest.mark.interop

FIELDS = [field.name for field in smpp.SubmitSm.fields]


@pytest.mark.parametrize("case", [one for one in cases("smpp") if not one.is_refused], ids=str)
def test_both_read_the_same(case: Case) -> None:
    """SMPP v3.4 4.4.1, 4.6.1, and 3.2 for the rest."""
    ours = smpp.decode(case.octets).message
    theirs = smpp34.decode(smpp.encode(ours))
    assert theirs.sequence_number == ours.sequence_number
    if isinstance(theirs, smpp34.RawPdu):
        assert not isinstance(ours, smpp.SubmitSm | smpp.DeliverSm)
        assert (theirs.command_id, theirs.command_status) == (ours.command_id, ours.command_status)
        return
    assert {name: getattr(theirs, name) for name in FIELDS} == {name: getattr(ours, name) for name in FIELDS}
    assert [(one.tag, one.value) for one in theirs.tlvs] == list(ours.tlvs)
    assert theirs.encode() == case.octets
