"""SMPP beyond the golden octets: forgiveness, refusals, and states."""

from dataclasses import replace

import pytest

from protocols import smpp
from protocols.errors import EncodeError
from protocols.smpp import CommandId, CommandStatus, SmppError
from protocols.smpp.session import LARGEST_SEQUENCE, Sequence, SessionState, may_send

RESP = smpp.SubmitSmResp(sequence_number=1, message_id="1", tlvs=((0x1400, b"x"),))


def longer(octets: bytes, more: bytes) -> bytes:
    return (len(octets) + len(more)).to_bytes(4) + octets[4:] + more


@pytest.mark.parametrize("stray", [b"\0", b"\x04\x24\0", b"\x04\x24\0\x05abc"])
def test_octets_that_are_no_tlv_are_told_and_left(stray: bytes) -> None:
    """SMPP v3.4 3.2.4."""
    decoded = smpp.decode(longer(smpp.encode(RESP), stray))
    assert decoded.message == RESP
    assert [one.rule for one in decoded.findings] == ["SMPP-R002"]


def test_the_answer_to_a_bad_body_is_the_commands_own_response() -> None:
    """SMPP v3.4 5.1.3: ESME_RINVCMDLEN."""
    octets = longer(smpp.encode(smpp.SubmitSm(sequence_number=9))[:16], b"\0")
    with pytest.raises(SmppError) as caught:
        smpp.decode(octets)
    assert smpp.refusal(caught.value) == smpp.SubmitSmResp(
        sequence_number=9, command_status=CommandStatus.ESME_RINVCMDLEN
    )


def test_the_answer_to_an_unknown_command_is_generic_nack() -> None:
    """SMPP v3.4 4.3.1."""
    with pytest.raises(SmppError) as caught:
        smpp.decode(bytes.fromhex("00000010 00000111 00000000 00000005"))
    assert smpp.refusal(caught.value) == smpp.GenericNack(
        sequence_number=5, command_status=CommandStatus.ESME_RINVCMDID
    )


@pytest.mark.parametrize(
    ("hex_octets", "sequence"),
    [
        ("0000000f 00000004 00000000 00000009", 0),
        ("00000000 00000004 00000000 00000009", 0),
        ("00011171 00000004 00000000 00000009", 9),
        ("00011171 00000004", 0),
    ],
)
def test_the_sequence_number_of_a_stream_that_is_lost(hex_octets: str, sequence: int) -> None:
    """SMPP v3.4 4.3.1: 0 where the header cannot be read; a command_length below 16 leaves none."""
    with pytest.raises(SmppError) as caught:
        smpp.Framer().feed(bytes.fromhex(hex_octets))
    assert smpp.refusal(caught.value) == smpp.GenericNack(
        sequence_number=sequence, command_status=CommandStatus.ESME_RINVCMDLEN
    )


def test_a_pdu_that_says_it_is_shorter_than_a_header_has_no_sequence_number() -> None:
    """SMPP v3.4 4.3.1."""
    with pytest.raises(SmppError) as caught:
        smpp.decode(bytes.fromhex("0000000f 00000004 00000000 00000009"))
    assert caught.value.sequence_number == 0


def test_a_bad_response_is_never_answered() -> None:
    with pytest.raises(SmppError) as caught:
        smpp.decode(bytes.fromhex("00000010 80000003 00000000 00000005"))
    assert smpp.refusal(caught.value) is None


@pytest.mark.parametrize(
    "pdu",
    [
        smpp.SubmitSmResp(sequence_number=1, message_id="0F3A9C21"),
        smpp.BindTransceiverResp(sequence_number=1, system_id="SMSC"),
        smpp.BindReceiver(sequence_number=1, system_id="mmsc", address_range="^1555"),
    ],
    ids=repr,
)
def test_a_last_string_may_end_with_its_pdu(pdu: smpp.Pdu) -> None:
    """SMPP v3.4 3.1: it ends with a NUL; some SMSCs forget it, and the id would be lost."""
    decoded = smpp.decode(longer(smpp.encode(pdu)[:-1], b""))
    assert decoded.message == pdu
    assert [one.rule for one in decoded.findings] == ["SMPP-R003"]


def test_a_string_that_is_not_the_last_ends_with_its_nul() -> None:
    """SMPP v3.4 3.1."""
    with pytest.raises(SmppError) as caught:
        smpp.decode(longer(smpp.encode(smpp.BindReceiver(sequence_number=1))[:16], b"mmsc"))
    assert caught.value.status is CommandStatus.ESME_RINVCMDLEN


@pytest.mark.parametrize(
    ("left", "status"),
    [(4, CommandStatus.ESME_RINVMSGLEN), (0, CommandStatus.ESME_RINVMSGLEN), (-1, CommandStatus.ESME_RINVCMDLEN)],
)
def test_a_text_that_runs_over_its_pdu_has_a_status_of_its_own(left: int, status: CommandStatus) -> None:
    """SMPP v3.4 5.1.3, 5.2.21: sm_length is wrong, the PDU's own length is not; without sm_length that is."""
    octets = smpp.encode(smpp.SubmitSm(sequence_number=9, short_message=b"hello"))
    with pytest.raises(SmppError) as caught:
        smpp.decode(longer(octets[: len(octets) - 5 + left], b""))
    assert caught.value.status is status
    assert smpp.refusal(caught.value) == smpp.SubmitSmResp(sequence_number=9, command_status=status)


@pytest.mark.parametrize(
    "hex_octets",
    [
        pytest.param("00000013 80000004 00000058 00000001 3746 00", id="message_id"),
        pytest.param("0000001b 80000004 00000045 00000001 00 001d 0006 626c6f636b00", id="TLV"),
        pytest.param("0000001a 80000009 0000000e 00000001 534d534300 0210 0001 34", id="system_id and TLV"),
        pytest.param("00000015 80000000 00000003 00000001 0428 0001 50", id="generic_nack"),
        pytest.param("00000010 80000004 00000058 00000001", id="nothing"),
    ],
)
def test_what_an_error_says_beyond_its_header_is_written_back(hex_octets: str) -> None:
    """SMPP v3.4 4.4.2 has no body there; v3.3, v5.0 and many SMSCs do."""
    octets = bytes.fromhex(hex_octets)
    decoded = smpp.decode(octets)
    assert decoded.findings == ()
    assert smpp.encode(decoded.message) == octets


@pytest.mark.parametrize("octets", [64, 65, 200])
def test_a_string_longer_than_its_field_is_read_and_told(octets: int) -> None:
    """SMPP v3.4 5.2.23: 65 octets with the NUL; the id of what an SMSC took is worth more than the rule."""
    decoded = smpp.decode(longer(smpp.encode(smpp.SubmitSmResp(sequence_number=1))[:-1], b"1" * octets + b"\0"))
    assert decoded.message == smpp.SubmitSmResp(sequence_number=1, message_id="1" * octets)
    assert [one.rule for one in decoded.findings] == ([] if octets == 64 else ["SMPP-R004"])


@pytest.mark.parametrize(("time", "is_one"), [("", True), ("000002000000000R", True), ("1", False), ("0" * 17, False)])
def test_a_time_of_another_length_is_read_and_told(time: str, is_one: bool) -> None:
    """SMPP v3.4 5.2.16: 1 or 17 octets."""
    octets = smpp.encode(smpp.SubmitSm(sequence_number=9))
    at = len(octets) - 6  # the NUL of validity_period, and five octets
    decoded = smpp.decode(longer(octets[:at] + time.encode() + octets[at:], b""))
    assert decoded.message == smpp.SubmitSm(sequence_number=9, validity_period=time)
    assert [one.rule for one in decoded.findings] == ([] if is_one else ["SMPP-R004"])


def test_a_text_of_255_octets_is_read_and_told() -> None:
    """SMPP v3.4 5.2.22: 254; v5.0 has 255."""
    octets = smpp.encode(smpp.SubmitSm(sequence_number=9))[:-1]
    decoded = smpp.decode(longer(octets, b"\xff" + b"x" * 255))
    assert decoded.message == smpp.SubmitSm(sequence_number=9, short_message=b"x" * 255)
    assert [(one.rule, one.offset) for one in decoded.findings] == [("SMPP-R004", len(octets))]


def test_sequence_numbers_go_round() -> None:
    """SMPP v3.4 5.1.4: 1 to 0x7FFFFFFF."""
    sequence = Sequence()
    assert sequence.next() == 1
    sequence._last = LARGEST_SEQUENCE
    assert sequence.next() == 1


@pytest.mark.parametrize(
    ("command", "esme", "states"),
    [
        (CommandId.BIND_TRANSCEIVER, True, {SessionState.OPEN}),
        (CommandId.SUBMIT_SM, True, {SessionState.BOUND_TX, SessionState.BOUND_TRX}),
        (CommandId.SUBMIT_SM, False, set()),
        (CommandId.DELIVER_SM, False, {SessionState.BOUND_RX, SessionState.BOUND_TRX}),
        (CommandId.DELIVER_SM, True, set()),
        (CommandId.ENQUIRE_LINK, True, set(SessionState) - {SessionState.CLOSED}),
        (CommandId.GENERIC_NACK, True, set(SessionState) - {SessionState.CLOSED}),
    ],
)
def test_what_may_be_sent_when(command: CommandId, esme: bool, states: set[SessionState]) -> None:
    """SMPP v3.4 2.3."""
    assert {one for one in SessionState if may_send(command, one, esme=esme)} == states


@pytest.mark.parametrize("time", ["Grüße1234567890x", "\0" * 16, "short"])
def test_a_time_that_is_none_is_not_written(time: str) -> None:
    """SMPP v3.4 7.1.1."""
    with pytest.raises(EncodeError):
        smpp.encode(smpp.SubmitSm(sequence_number=1, destination_addr="1555", validity_period=time))


def test_the_last_of_two_tlvs_counts() -> None:
    pdu = smpp.SubmitSm(
        sequence_number=1, tlvs=((smpp.Tag.SAR_TOTAL_SEGMENTS, b"\1"), (smpp.Tag.SAR_TOTAL_SEGMENTS, b"\2"))
    )
    assert pdu.tlv(smpp.Tag.SAR_TOTAL_SEGMENTS) == b"\2"


def test_a_pdu_is_written_under_the_number_that_is_given() -> None:
    """SMPP v3.4 5.1.4: a session numbers its requests."""
    pdu = smpp.SubmitSm(sequence_number=0, destination_addr="15550100123", tlvs=((0x1400, b"x"),))
    assert smpp.decode(smpp.encode(pdu, 9)).message == replace(pdu, sequence_number=9)
    assert smpp.decode(smpp.encode(replace(pdu, sequence_number=9))).message == replace(pdu, sequence_number=9)


def test_a_status_that_we_do_not_know_is_kept() -> None:
    """SMPP v3.4 5.1.3: vendors have their own."""
    pdu = smpp.SubmitSmResp(sequence_number=1, command_status=CommandStatus(0x4FF))
    read = smpp.decode(smpp.encode(pdu)).message.command_status
    assert (read, read.is_known) == (0x4FF, False)
