"""Octets as people look at them: layers, places, values, and content."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.lab.media import picture
from mmsc.trace.view import Kind, View, every, has_problem, look, look_as, pictures
from protocols import mm1, smpp
from protocols.content_type import ContentType
from protocols.sms import tpdu
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import mms_push
from tests.cases import Case, cases

MEDIA = Path(__file__).parents[2] / "fixtures" / "media"
MIXED = ContentType("application/vnd.wap.multipart.mixed")
PUSHES = [one for one in cases("tpdu") if not one.is_refused and "of-two" in one.stem]
ALL = [one for name in ("mm1", "wsp", "tpdu", "smpp", "mm7", "mm4", "eaif") for one in cases(name) if one.octets]


def chain(view: View) -> list[str]:
    return [one.kind for one in every(view)]


def conf(*parts: Part) -> bytes:
    return mm1.encode(mm1.MRetrieveConf(date=1, content_type=MIXED, body=encode_multipart(parts)))


@pytest.mark.parametrize("case", ALL, ids=lambda one: one.stem)
def test_places_are_right_in_every_golden(case: Case) -> None:
    """Rows lie in their view, and what is inside lies where it says."""
    for view in every(look(case.octets)):
        for row in view.rows:
            assert row.start == row.end == -1 or 0 <= row.start <= row.end <= len(view.octets)
        for inner in view.inside:
            assert inner.at < 0 or view.octets[inner.at : inner.at + len(inner.octets)] == inner.octets


def test_fields_have_values_as_json_has_them() -> None:
    view = look(cases("mm1")[0].octets)
    typed = {row.name: row.typed for row in view.rows}
    assert typed["X-Mms-Expiry"] == {"relative": 172_800}
    assert typed["X-Mms-Message-Size"] == 12_345
    assert typed["X-Mms-MMS-Version"] == "1.2"
    assert typed["X-Mms-Message-Class"] == "Personal"


def test_indexed_fields_are_shown_with_their_index() -> None:
    [case] = [one for one in cases("mm1") if one.stem == "14-m-mbox-delete-conf"]
    rows = {row.name: row for row in look(case.octets).rows}
    assert rows["X-Mms-Response-Status"].value == "0: Ok"
    assert rows["X-Mms-Response-Status"].typed == {"index": 0, "value": "Ok"}


def test_descriptors_are_opened_as_pdus() -> None:
    descr = mm1.encode(mm1.MMboxDescr(content_location="http://a/1"))
    view = look(conf(Part(ContentType("application/vnd.wap.mms-message"), descr)))
    assert chain(view) == ["MMS PDU", "WSP multipart", "part", "MMS PDU"]


def test_parts_inside_parts_are_opened_but_not_without_end() -> None:
    body = encode_multipart([Part(ContentType("text/plain"), b"x")])
    for _ in range(30):
        body = encode_multipart([Part(MIXED, body)])
    view = look(mm1.encode(mm1.MRetrieveConf(date=1, content_type=MIXED, body=body)))
    assert 5 < chain(view).count("part") < 40


def test_a_picture_is_named_with_its_size() -> None:
    view = look(conf(Part(ContentType("image/jpeg"), picture(), "p", "lake.jpg")))
    [part] = [one for one in every(view) if one.kind == "part"]
    assert part.rows[-1].value == f"{len(picture())} octets, JPEG, 640 x 480 pixels"


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        ((MEDIA / "hill.gif").read_bytes(), "GIF, "),
        ((MEDIA / "hill.png").read_bytes(), "PNG, "),
        ((MEDIA / "silence.amr").read_bytes(), "AMR"),
        (b"\0\0\x81\x00\x40" + bytes(1024), "WBMP, 128 x 64 pixels"),
        (b"BM" + bytes(16) + b"\x05\0\0\0\xfa\xff\xff\xff", "BMP, 5 x 6 pixels"),
        (b"\0\0\0\x18ftyp3gp4", "ISO media, brand 3gp4"),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x0b\x08\0\x06\0\x05" + bytes(5), "JPEG, 5 x 6 pixels"),
        (b"\xff\xd8\xff", "JPEG without a size"),
        (b"plain", ""),
        (b"", ""),
    ],
)
def test_content_is_known_by_its_first_octets(octets: bytes, told: str) -> None:
    assert pictures.describe(octets, "image/vnd.wap.wbmp" if "WBMP" in told else "").startswith(told)
    if not told:
        assert pictures.describe(octets, "") == ""


def test_a_presentation_is_shown_as_text() -> None:
    view = look(conf(Part(ContentType("application/smil"), b"<smil/>")))
    assert [one.text for one in every(view) if one.text] == ["<smil/>"]


def test_a_push_in_tpdus_is_put_together_whatever_their_order() -> None:
    for octets in (PUSHES[0].octets + PUSHES[1].octets, PUSHES[1].octets + PUSHES[0].octets):
        view = look(octets)
        assert chain(view)[-3:] == ["put together", "WAP push", "MMS PDU"]
        assert not has_problem(view)
    assert "put together" not in chain(look(PUSHES[0].octets + PUSHES[0].octets))


@pytest.mark.parametrize("centre", ["", "+15550000000"])
def test_tpdus_come_with_a_service_centre_or_without(centre: str) -> None:
    for case in (one for one in cases("tpdu") if not one.is_refused):
        view = look(tpdu.with_service_centre(case.octets, centre))
        assert view.kind == "SMS"
        assert view.rows[0].value == (centre or "not told")
        assert look(case.octets).rows[0].name == "TP-MTI and flags"


def test_the_text_of_a_short_message_is_shown() -> None:
    [case] = [one for one in cases("tpdu") if one.stem == "06-sms-deliver-text"]
    view = look(case.octets)
    assert (view.title, view.text) == ("SMS-DELIVER, MMS info", "You have a multimedia message.")


@pytest.mark.parametrize("kind", Kind)
def test_what_octets_are_can_be_said(kind: Kind) -> None:
    notification = cases("mm1")[0].octets
    good = {Kind.MM1: notification, Kind.PUSH: mms_push(1, notification), Kind.SMS: PUSHES[0].octets}
    assert has_problem(look_as(b"\x01", kind)) or kind is Kind.HTTP
    if kind in good:
        assert not has_problem(look_as(good[kind], kind))


@given(st.sampled_from(ALL), st.data())
def test_whatever_is_changed_is_answered(case: Case, data: st.DataObject) -> None:
    octets = bytearray(case.octets)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    for view in every(look(bytes(octets))):
        for inner in view.inside:
            assert inner.at < 0 or view.octets[inner.at : inner.at + len(inner.octets)] == inner.octets


def test_the_password_of_a_bind_is_shown_nowhere_among_several_pdus() -> None:
    bind = smpp.encode(smpp.BindTransceiver(sequence_number=1, system_id="mmsc", password="hunter2"))
    view = look(bind + bind)
    assert [one.octets for one in every(view) if b"hunter2" in one.octets] == []
    assert view.octets == b"".join(one.octets for one in view.inside)
