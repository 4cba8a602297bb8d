"""What a subscriber may not do by way of the MMBox (OMA-TS-MMS_ENC 6)."""

from unittest.mock import patch

from mmsc.lab.handset import Fetching
from protocols import mm1
from protocols.forms import UnknownHeader
from protocols.mm1 import MmState, ResponseStatus, StoreStatus
from protocols.wsp.multipart import encode_multipart
from tests.scenarios.boxes import MIXED, TEXT, ask, upload, upload_req, view
from tests.scenarios.conftest import OTHER, PHONE, Lab
from tests.scenarios.posting import forward_req, posted


async def test_what_an_upload_tells_beside_its_content_has_a_limit(lab: Lab) -> None:
    """No quota counts it, and each view shows it again."""
    phone = await lab.phone(PHONE)
    for octets, status in ((60_000, StoreStatus.SUCCESS), (70_000, StoreStatus.ERROR_PERMANENT_FAILURE)):
        descr = mm1.MMboxDescr(
            content_location="/",
            content_type=MIXED,
            body=encode_multipart([TEXT]),
            unknown=(UnknownHeader("X-Own", b"x" * octets),),
        )
        conf = await ask(phone, upload_req(body=mm1.encode(descr)), mm1.MMboxUploadConf)
        assert conf.store_status is status


async def test_a_view_tells_as_much_as_fits_and_goes_on_where_it_ended(lab: Lab) -> None:
    """A request of some hundred octets is not answered by 50 long heads; each answer has one at least."""
    phone = await lab.phone(PHONE)
    location = await upload(phone)
    with patch("mmsc.gateways.mm1.mmbox._MOST_TOLD", 500):
        conf, shown = await view(phone, content_locations=(location,) * 100)
        assert 1 < len(shown) < 10
        assert conf.message_count == len(shown)
    with patch("mmsc.gateways.mm1.mmbox._MOST_TOLD", 1):
        assert len((await view(phone, content_locations=(location,) * 100))[1]) == 1


async def test_nobody_is_made_the_sender_of_what_another_uploads(lab: Lab) -> None:
    """X-Mms-Previously-Sent-By is our word for who sent an MM before; From of an upload is its owner's (7.3.23)."""
    phone, eve = await lab.phone(PHONE, fetching=Fetching.IMMEDIATE), await lab.phone(OTHER)
    descr = mm1.MMboxDescr(
        content_location="/",
        from_="+15550100999/TYPE=PLMN",
        message_class="Auto\r\nX-Own: 1",
        content_type=MIXED,
        body=encode_multipart([TEXT]),
    )
    location = await upload(eve, body=mm1.encode(descr), mm_state=(MmState.RETRIEVED,))
    conf = await posted(lab, OTHER, forward_req(location, PHONE), mm1.MForwardConf)
    assert conf.response_status is ResponseStatus.OK
    (message,) = (await phone.until(lambda inbox: bool(inbox.messages))).messages
    assert (message.conf.from_, message.conf.previously_sent_by) == (f"{OTHER}/TYPE=PLMN", ())
    assert message.conf.message_class == "AutoX-Own1"
