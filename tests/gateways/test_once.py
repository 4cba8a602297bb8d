"""What is the same for all recipients of an MM is made once, and its octets are those that each would get alone."""

import pytest

from mmsc.domain.instant import SECOND
from mmsc.domain.message import Job, Mm, Recipient, TaskId, TaskKind
from mmsc.gateways.once import OncePerMm
from mmsc.gateways.pdus import retrieve_conf
from mmsc.gateways.sms.translate import Notifications, notification_ind
from protocols import mm1
from protocols.errors import EncodeError
from tests.domain.test_rules import MM, RECIPIENT, T0, at

URL = "http://mms.example"
PLAIN = MM._replace(subject="Grüße", message_class="advertisement", sender_hidden=True)
FOR_VASPS = MM._replace(details={"applic_id": "chess", "drm_content": "true"})
TIMED = MM._replace(details={"reply_charging": "requested", "reply_deadline": str(T0 + 3600 * SECOND)})
SHOWN = MM._replace(shown_to=((RECIPIENT.role, "+15550100123"), (RECIPIENT.role, "friend@mms.example")))
ONE = MM._replace(shown_to=((RECIPIENT.role, "+15550100123"),))
TWO = (
    RECIPIENT._replace(transaction_id="first", token="0one"),
    RECIPIENT._replace(transaction_id="\u00fcber", token="two"),
)


def job(mm: Mm, recipient: Recipient, payload: dict[str, str]) -> Job:
    return Job(TaskId(1), TaskKind.NOTIFY, "smsc:local", 0, T0, mm, (recipient,), payload)


@pytest.mark.parametrize("mm", [MM, PLAIN, FOR_VASPS, TIMED, SHOWN, ONE])
@pytest.mark.parametrize("version", [0, mm1.VERSION_1_0, mm1.VERSION_1_3])
@pytest.mark.parametrize("payload", [{}, {"plain": "1"}, {"stored": "1"}])
@pytest.mark.parametrize("append", [False, True])
def test_notifications_have_the_octets_of_their_pdus(
    mm: Mm, version: int, payload: dict[str, str], append: bool
) -> None:
    made = Notifications()
    for seconds in (0, 0.5, 1.5):
        for recipient in TWO:
            told = job(mm, recipient, payload)
            pdu = notification_ind(told, URL, at(seconds), version, 100, append_transaction_id=append)
            octets = made.octets(told, URL, at(seconds), version, 100, append_transaction_id=append)
            assert octets == mm1.encode(pdu)


@pytest.mark.parametrize("mm", [MM, PLAIN, FOR_VASPS, SHOWN])
@pytest.mark.parametrize("version", [mm1.VERSION_1_0, mm1.VERSION_1_2, mm1.VERSION_1_3])
def test_heads_of_retrieve_confs_have_the_octets_of_their_pdus(mm: Mm, version: int) -> None:
    common = mm1.alike(retrieve_conf(mm, "another", version))
    for recipient in TWO:
        conf = retrieve_conf(mm, recipient.transaction_id, version)
        assert common.head(recipient.transaction_id) == mm1.encode_head(conf)


@pytest.mark.parametrize("mm", [MM, SHOWN])
@pytest.mark.parametrize("transaction_id", ["a\0b", ""])
def test_what_no_text_can_hold_is_refused_also_where_the_rest_is_known(mm: Mm, transaction_id: str) -> None:
    made = Notifications()
    fine = job(mm, RECIPIENT._replace(transaction_id="fine", token="t"), {})
    made.octets(fine, URL, T0, 0, 0, append_transaction_id=False)
    told = job(mm, RECIPIENT._replace(transaction_id=transaction_id, token="t"), {})
    with pytest.raises(EncodeError):
        made.octets(told, URL, T0, 0, 0, append_transaction_id=False)


def test_an_mm_that_replaces_another_is_made_anew_and_only_the_last_ones_are_remembered() -> None:
    made: OncePerMm[int] = OncePerMm()
    numbers = iter(range(1000))
    first = made.of(MM, "a", lambda: next(numbers))
    assert made.of(MM, "a", lambda: next(numbers)) == first
    assert made.of(MM, "b", lambda: next(numbers)) != first
    assert made.of(MM._replace(subject="another"), "a", lambda: next(numbers)) != first
    for version in range(100):
        made.of(MM, version, lambda: next(numbers))
    assert len(made._made) == 64
