"""What a VASP wants a handset to know, in the PDUs for it (OMA-TS-MMS_ENC 6.2, 6.3, 7.3)."""

import pytest

from mmsc.domain.instant import DAY, SECOND, Instant
from mmsc.domain.message import Job, TaskId, TaskKind
from mmsc.domain.sendings import SENT_BEFORE, Sending, kept
from mmsc.gateways.pdus import retrieve_conf
from mmsc.gateways.sms.translate import notification_ind
from protocols import mm1
from protocols.mm1 import ContentClass, Counted, CountedDate, MNotificationInd, Moment
from protocols.mm1.enums import ReplyCharging
from tests.domain.test_rules import MM, RECIPIENT, T0

ALL = {
    "applic_id": "chess",
    "reply_applic_id": "desk",
    "aux_applic_info": "move 7",
    "content_class": "Image-Basic",
    "drm_content": "true",
    "distribution_indicator": "false",
    "reply_charging": "requested",
    "reply_charging_size": "30000",
    "reply_deadline": "1800000000000000",
}
CARRIED = {
    "applic_id": "chess",
    "reply_applic_id": "desk",
    "aux_applic_info": "move 7",
    "content_class": ContentClass.IMAGE_BASIC,
    "drm_content": True,
    "distribution_indicator": False,
    "reply_charging": ReplyCharging.ACCEPTED,
    "reply_charging_size": 30000,
    "reply_charging_deadline": Moment(1_800_000_000 - T0 // SECOND),
}
TOLD = RECIPIENT._replace(transaction_id="n", token="t")
OF_1_1 = {"reply_charging", "reply_charging_size", "reply_charging_deadline"}
OF_1_2 = OF_1_1 | {"distribution_indicator"}


def notification(details: dict[str, str], version: int = mm1.VERSION_1_2, **payload: str) -> MNotificationInd:
    mm = MM._replace(details=details)
    job = Job(TaskId(1), TaskKind.NOTIFY, "smsc:local", 0, T0, mm, (TOLD,), payload)
    return notification_ind(job, "http://mms.example", T0, version)


def carried(pdu: mm1.Pdu) -> dict[str, object]:
    return {name: getattr(pdu, name) for name in CARRIED if getattr(pdu, name) is not None}


def test_all_of_it_is_carried_to_a_handset_of_1_3() -> None:
    conf = retrieve_conf(MM._replace(details=ALL), "t", mm1.VERSION_1_3, lambda: T0)
    for pdu in (notification(ALL, mm1.VERSION_1_3), conf):
        assert carried(pdu) == CARRIED
        assert pdu.mms_version == mm1.VERSION_1_3
    assert carried(mm1.decode(mm1.encode(notification(ALL, mm1.VERSION_1_3))).message) == CARRIED


@pytest.mark.parametrize(
    ("version", "names"), [(mm1.VERSION_1_2, OF_1_2), (mm1.VERSION_1_1, OF_1_1), (mm1.VERSION_1_0, set())]
)
def test_older_handsets_get_what_their_version_has(version: int, names: set[str]) -> None:
    for pdu in (notification(ALL, version), retrieve_conf(MM._replace(details=ALL), "t", version)):
        assert set(carried(pdu)) == names
        assert pdu.mms_version == version


def test_a_handset_that_never_spoke_is_spoken_to_in_1_2() -> None:
    assert notification(ALL, 0).mms_version == mm1.VERSION_1_2


def test_the_plain_form_has_none_of_it() -> None:
    assert carried(notification(ALL, plain="1")) == {}


def test_other_mms_are_of_1_2_as_ever() -> None:
    assert carried(notification({"vasp_id": "news"})) == {}
    assert notification({"vasp_id": "news"}).mms_version == mm1.VERSION_1_2
    shared = notification({"distribution_indicator": "true"})
    assert (shared.distribution_indicator, shared.mms_version) == (True, mm1.VERSION_1_2)


def test_a_class_that_has_no_octet_is_left_out() -> None:
    assert carried(notification({"content_class": "image-huge"}, mm1.VERSION_1_3)) == {}


def test_a_server_is_told_the_deadline_as_a_date() -> None:
    """Where nobody says what time it is, nothing is relative."""
    conf = retrieve_conf(MM._replace(details=ALL), "t", mm1.VERSION_1_2)
    assert conf.reply_charging_deadline == Moment(1_800_000_000, relative=False)


def test_an_offer_whose_deadline_is_over_is_told_no_more() -> None:
    late = {**ALL, "reply_deadline": str(T0 - DAY)}
    assert {name: value for name, value in carried(notification(late)).items() if "reply_charging" in name} == {}


def test_replies_may_be_limited_to_text() -> None:
    told = notification({"reply_charging": "requested text only"})
    assert told.reply_charging is ReplyCharging.ACCEPTED_TEXT_ONLY


@pytest.mark.parametrize(("paid_by", "told"), [("recipient", "m@mms.example"), ("", None)])
def test_only_a_reply_that_is_paid_for_names_what_it_answers(paid_by: str, told: str | None) -> None:
    """7.3.45. What another MMSC calls a charged reply is none of ours: MM4 carries no reply charging."""
    pdu = notification({"reply_charging_id": "m@mms.example", "charged_party": paid_by})
    assert pdu.reply_charging_id == told


WAY = kept((Sending("+15550100001", T0), Sending("", Instant(T0 + DAY)), Sending("a@b.example", None)))


def test_a_forwarded_mm_tells_who_had_it_before() -> None:
    """7.3.23, 7.3.24: 1 is the first sending; who hides has a date and no name."""
    conf = retrieve_conf(MM._replace(details={SENT_BEFORE: WAY}), "t", mm1.VERSION_1_2, lambda: T0)
    assert conf.previously_sent_by == (Counted(1, "+15550100001/TYPE=PLMN"), Counted(3, "a@b.example"))
    assert conf.previously_sent_date == (CountedDate(1, T0 // SECOND), CountedDate(2, (T0 + DAY) // SECOND))
    assert mm1.decode(mm1.encode(conf)).message == conf


def test_version_1_0_has_no_fields_for_it() -> None:
    conf = retrieve_conf(MM._replace(details={SENT_BEFORE: WAY}), "t", mm1.VERSION_1_0, lambda: T0)
    assert (conf.previously_sent_by, conf.previously_sent_date) == ((), ())
