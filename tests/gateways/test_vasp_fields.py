"""What a VASP wants a handset to know, in the PDUs for it (OMA-TS-MMS_ENC 6.2, 6.3, 7.3)."""

import pytest

from mmsc.domain.message import Job, TaskId, TaskKind
from mmsc.gateways.pdus import retrieve_conf
from mmsc.gateways.sms.translate import notification_ind
from protocols import mm1
from protocols.mm1 import ContentClass, MNotificationInd, Moment
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
    "reply_charging_deadline": Moment(1_800_000_000, relative=False),
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
    for pdu in (notification(ALL, mm1.VERSION_1_3), retrieve_conf(MM._replace(details=ALL), "t", mm1.VERSION_1_3)):
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
