"""The MMBox over sockets: kept when sent, stored, uploaded, viewed, fetched, changed and deleted (OMA-TS-MMS_ENC 6)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.lab.handset import Fetching, Handset
from mmsc.settings.model import LimitSettings, Mm1, Mmbox
from mmsc.store.core import StoreUnavailable
from protocols import mm1
from protocols.forms import UnknownHeader
from protocols.mm1 import Flagged, MmState, ResponseStatus, StoreStatus
from protocols.wsp.multipart import encode_multipart, index_multipart
from tests.scenarios.boxes import MIXED, TEXT, ask, delete, get, send, send_req, store, tid, upload, upload_req, view
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture

ADD, REMOVE, FILTER = 0x80, 0x81, 0x82
CONTENT, SUBJECT, FROM, OTHERS = 0x2E, 0x16, 0x09, 0x30


async def notified(lab: Lab) -> tuple[Handset, str]:
    """A handset that was told of an MM and has not fetched it, and where that is."""
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    await lab.vasp.submit(PHONE, content=picture())
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    return phone, inbox.notifications[0].content_location or ""


async def kinds(lab: Lab) -> list[object]:
    rows = await lab.app.store.fetch("SELECT kind FROM event WHERE kind LIKE 'box.%' ORDER BY id")
    return [row[0] for row in rows]


# --- X-Mms-Store ---


async def test_what_is_sent_with_store_is_kept(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    conf = await send(phone, store=True, mm_flags=(Flagged(ADD, "family"),))
    assert (conf.response_status, conf.store_status) == (ResponseStatus.OK, StoreStatus.SUCCESS)
    assert conf.message_id
    _, (descr,) = await view(phone)
    assert (descr.content_location, descr.message_id) == (conf.content_location, conf.message_id)
    assert (descr.mm_state, descr.mm_flags) == ((MmState.SENT,), (Flagged(ADD, "family"),))
    assert (descr.subject, descr.to, descr.from_) == ("Grüße", (OTHER,), f"{PHONE}/TYPE=PLMN")
    assert (await other.until(lambda inbox: bool(inbox.messages))).messages
    assert (await view(other))[1] == []
    assert await kinds(lab) == ["box.kept"]


async def test_a_repeated_submission_is_kept_once(lab: Lab) -> None:
    phone, pdu = await lab.phone(PHONE), send_req(store=True, mm_state=(MmState.DRAFT,))
    confs = [await ask(phone, pdu, mm1.MSendConf) for _ in range(2)]
    assert confs[0] == confs[1]
    assert [one.mm_state for one in (await view(phone))[1]] == [(MmState.DRAFT,)]


async def test_without_store_nothing_is_kept_and_nothing_said(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    for fields in ({}, {"store": False}, {"store": True, "version": mm1.VERSION_1_1}):
        conf = await send(phone, **fields)
        assert (conf.response_status, conf.store_status, conf.content_location) == (ResponseStatus.OK, None, None)
    assert (await view(phone))[1] == []


async def test_an_mm_is_sent_also_when_the_box_is_full(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(quota_messages=1)) as lab:
        phone = await lab.phone(PHONE)
        other = await lab.phone(OTHER)
        confs = [await send(phone, store=True) for _ in range(2)]
        assert [one.response_status for one in confs] == [ResponseStatus.OK] * 2
        assert [one.store_status for one in confs] == [
            StoreStatus.SUCCESS,
            StoreStatus.ERROR_PERMANENT_MMBOX_FULL,
        ]
        assert confs[1].content_location is None
        assert confs[1].store_status_text
        await other.until(lambda inbox: len(inbox.messages) == 2)
        assert await kinds(lab) == ["box.kept", "box.refused"]


async def test_two_that_fill_a_box_at_once_do_not_overfill_it(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(quota_messages=3)) as lab:
        phone = await lab.phone(PHONE)
        sent = [send(phone, store=True) for _ in range(6)]
        uploaded = [ask(phone, upload_req(), mm1.MMboxUploadConf) for _ in range(3)]
        confs, others = await asyncio.gather(asyncio.gather(*sent), asyncio.gather(*uploaded))
        statuses = [one.store_status for one in confs] + [one.store_status for one in others]
        assert statuses.count(StoreStatus.SUCCESS) == 3
        assert statuses.count(StoreStatus.ERROR_PERMANENT_MMBOX_FULL) == 6
        assert len((await view(phone))[1]) == 3


async def test_without_boxes_the_mm_is_sent_and_the_rest_denied(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(enabled=False)) as lab:
        phone = await lab.phone(PHONE)
        conf = await send(phone, store=True)
        assert (conf.response_status, conf.store_status) == (
            ResponseStatus.OK,
            StoreStatus.ERROR_PERMANENT_SERVICE_DENIED,
        )
        assert (await view(phone))[0].response_status is ResponseStatus.ERROR_UNSUPPORTED_MESSAGE
        assert (await store(phone, "/b/x")).store_status is StoreStatus.ERROR_PERMANENT_SERVICE_DENIED
        uploaded = await ask(phone, upload_req(), mm1.MMboxUploadConf)
        assert uploaded.store_status is StoreStatus.ERROR_PERMANENT_SERVICE_DENIED
        (only,) = (await delete(phone, "/b/x")).response_statuses
        assert only.value is ResponseStatus.ERROR_UNSUPPORTED_MESSAGE


# --- m-mbox-store ---


async def test_an_mm_that_waits_is_stored_once_and_still_to_be_fetched(lab: Lab) -> None:
    phone, waiting = await notified(lab)
    first = await store(phone, waiting, mm_flags=(Flagged(ADD, "work"),))
    assert first.store_status is StoreStatus.SUCCESS
    _, (descr,) = await view(phone)
    assert (descr.mm_state, descr.mm_flags) == ((MmState.NEW,), (Flagged(ADD, "work"),))
    again = await store(phone, waiting, mm_state=(MmState.NEW,))
    assert again.content_location == first.content_location
    assert (await get(phone, waiting)) is not None
    assert len((await view(phone))[1]) == 1


async def test_state_and_flags_of_what_is_in_the_box_change(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    location = await upload(phone)
    assert (await store(phone, location)).store_status is StoreStatus.SUCCESS  # a draft stays one
    assert (await view(phone))[1][0].mm_state == (MmState.DRAFT,)
    flags = (Flagged(ADD, "a"), Flagged(ADD, "b"), Flagged(REMOVE, "never there"))
    await store(phone, location, mm_state=(MmState.SENT,), mm_flags=flags)
    await store(phone, location, mm_flags=(Flagged(REMOVE, "a"), Flagged(ADD, "b")))
    _, (descr,) = await view(phone)
    assert (descr.mm_state, descr.mm_flags) == ((MmState.SENT,), (Flagged(ADD, "b"),))


async def test_nobody_stores_what_is_not_his(lab: Lab) -> None:
    _, waiting = await notified(lab)
    other = await lab.phone(OTHER)
    for location in (waiting, "http://mmsc/m/unknown", "http://mmsc/b/unknown", "nonsense"):
        conf = await store(other, location)
        assert (conf.store_status, conf.content_location) == (StoreStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND, None)


# --- m-mbox-upload ---


async def test_an_upload_is_a_draft_and_a_repeat_of_it_the_same(lab: Lab) -> None:
    phone, pdu = await lab.phone(PHONE), upload_req(transaction_id="U1")
    confs = [await ask(phone, pdu, mm1.MMboxUploadConf) for _ in range(2)]
    assert confs[0] == confs[1]
    _, (descr,) = await view(phone)
    assert descr.mm_state == (MmState.DRAFT,)
    assert (descr.subject, descr.bcc) == ("a draft", ("hidden@mail.example",))
    assert descr.from_ == f"{PHONE}/TYPE=PLMN"
    message = await get(phone, descr.content_location or "")
    assert message is not None
    assert [message.octets_of(part) for part in message.parts] == [b"hello"]
    again = await ask(phone, upload_req(transaction_id="U1", text=b"other"), mm1.MMboxUploadConf)
    assert again.content_location != confs[0].content_location


async def test_what_is_uploaded_needs_no_location_yet(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 6: an m-mbox-descr has one where it tells of an MM that is in a box."""
    phone, pdu = await lab.phone(PHONE), upload_req()
    without = replace(pdu, body=pdu.body.replace(b"\x83/\x00", b"", 1))
    assert len(without.body) == len(pdu.body) - 3
    assert (await ask(phone, without, mm1.MMboxUploadConf)).store_status is StoreStatus.SUCCESS


@pytest.mark.parametrize(
    "body",
    [b"", b"\x8c", mm1.encode(send_req()), mm1.encode(mm1.MMboxDescr(content_location="/", subject="no content"))],
    ids=["empty", "cut", "m-send-req", "no content"],
)
async def test_what_is_no_m_mbox_descr_is_not_kept(lab: Lab, body: bytes) -> None:
    phone = await lab.phone(PHONE)
    conf = await ask(phone, upload_req(body=body), mm1.MMboxUploadConf)
    assert conf.store_status is StoreStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
    assert (await view(phone))[1] == []


async def test_an_upload_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with open_lab(tmp_path, limits=LimitSettings(maximum_octets=1000)) as lab:
        phone = await lab.phone(PHONE)
        conf = await ask(phone, upload_req(text=bytes(1000)), mm1.MMboxUploadConf)
        assert conf.store_status is StoreStatus.ERROR_PERMANENT_FAILURE


# --- m-mbox-view ---


async def test_a_view_is_of_states_and_flags(lab: Lab) -> None:
    """OR within a kind, AND between kinds (OMA-TS-MMS_ENC 7.3.32)."""
    phone = await lab.phone(PHONE)
    made = {}
    for state, word in ((MmState.DRAFT, "a"), (MmState.DRAFT, "b"), (MmState.SENT, "a"), (MmState.NEW, "c")):
        made[state, word] = await upload(phone, mm_state=(state,), mm_flags=(Flagged(ADD, word),))

    async def found(*states: MmState, flags: str = "") -> set[str | None]:
        filters = tuple(Flagged(FILTER, one) for one in flags)
        return {one.content_location for one in (await view(phone, mm_state=states, mm_flags=filters))[1]}

    assert await found() == set(made.values())
    assert await found(MmState.SENT, MmState.NEW) == {made[MmState.SENT, "a"], made[MmState.NEW, "c"]}
    assert await found(flags="ac") == {made[one] for one in made if one[1] in "ac"}
    assert await found(MmState.DRAFT, flags="ac") == {made[MmState.DRAFT, "a"]}
    assert await found(MmState.RETRIEVED) == set()


async def test_a_view_has_pages_and_totals(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(view_messages=2, quota_messages=7, quota_octets=9000)) as lab:
        phone = await lab.phone(PHONE)
        every = [await upload(phone) for _ in range(5)]
        seen = []
        for start in range(0, 6, 2):
            conf, shown = await view(phone, start=start, totals=True, quotas=True)
            assert (conf.start, conf.message_count, conf.totals) == (start, len(shown), True)
            assert conf.mbox_totals[0] == Flagged(0x80, 5)
            assert conf.mbox_quotas == (Flagged(0x80, 7), Flagged(0x81, 9000))
            seen += [one.content_location for one in shown]
        assert seen == every
        conf, shown = await view(phone, start=1, limit=1)
        assert ([one.content_location for one in shown], conf.limit) == (every[1:2], 1)
        assert (conf.mbox_totals, conf.mbox_quotas) == ((), ())
        conf, shown = await view(phone, start=0, limit=0)
        assert (shown, conf.message_count) == ([], 0)


async def test_a_view_shows_the_attributes_that_were_asked_for(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    location = await upload(phone)
    _, (descr,) = await view(phone, attributes=(SUBJECT,))
    assert (descr.subject, descr.from_, descr.to, descr.content_type) == ("a draft", None, (), None)
    assert descr.content_location == location
    _, (descr,) = await view(phone, attributes=(FROM, CONTENT))
    assert (descr.subject, descr.from_) == (None, f"{PHONE}/TYPE=PLMN")
    (part,) = index_multipart(descr.body)
    assert descr.body[part.data_offset : part.data_offset + part.data_length] == b"hello"
    _, (descr,) = await view(phone)
    assert descr.content_type is None
    assert descr.message_size


async def test_headers_of_ones_own_come_back_when_asked_for(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    descr = mm1.MMboxDescr(
        content_location="/", content_type=MIXED, body=encode_multipart([TEXT]), unknown=(UnknownHeader("X-Own", b"1"),)
    )
    await upload(phone, body=mm1.encode(descr))
    for attributes, expected in (((), 1), ((SUBJECT, OTHERS), 1), ((SUBJECT,), 0)):
        assert len((await view(phone, attributes=attributes))[1][0].unknown) == expected


async def test_what_is_too_large_for_a_view_is_to_be_fetched(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(view_octets=1000)) as lab:
        phone = await lab.phone(PHONE)
        large = await upload(phone, text=bytes(2000))
        for _ in range(3):
            await upload(phone, text=bytes(400))
        conf, shown = await view(phone, attributes=(CONTENT,))
        assert [one.content_type is not None for one in shown] == [False, True, True]
        assert conf.message_count == 3
        assert conf.response_text == "1 of 3 without content: too large for a view, or gone; fetch them"
        assert await get(phone, large) is not None
        assert (await view(phone, attributes=(SUBJECT,)))[0].response_text is None


async def test_a_view_of_places_shows_those(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    first, second = await upload(phone), await upload(phone)
    foreign = await upload(other)
    _, shown = await view(phone, content_locations=(second,))
    assert [one.content_location for one in shown] == [second]
    conf, shown = await view(phone, content_locations=(first, foreign))
    assert [one.content_location for one in shown] == [first]
    assert (conf.response_status, bool(conf.response_text)) == (ResponseStatus.OK, True)
    conf, shown = await view(phone, content_locations=(foreign,))
    assert (conf.response_status, shown) == (ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND, [])


# --- GET ---


async def test_a_get_by_its_owner_makes_what_was_new_retrieved(lab: Lab) -> None:
    phone, waiting = await notified(lab)
    location = (await store(phone, waiting)).content_location or ""
    message = await get(phone, location)
    assert message is not None
    assert (message.conf.transaction_id, message.conf.mm_state) == (None, (MmState.NEW,))
    message = await get(phone, location)
    assert message is not None
    assert message.conf.mm_state == (MmState.RETRIEVED,)
    assert str((await lab.vasp.report()).mm_status) == "Retrieved"  # the second complete GET proves the first
    assert await get(await lab.phone(OTHER), location) is None


async def test_without_an_identity_the_token_suffices_unless_it_may_not(tmp_path: Path) -> None:
    for required in (False, True):
        folder = tmp_path / str(required)
        folder.mkdir()
        async with open_lab(folder, mm1=Mm1(port=0, require_identity=required)) as lab:
            location = await upload(await lab.phone(PHONE))
            nobody = await lab.phone(OTHER, identity_header="")
            assert (await get(nobody, location) is None) is required


async def test_what_is_in_the_box_outlives_its_notification(lab: Lab) -> None:
    """The notification's own location shows it, too, when nothing waits there any more."""
    phone, waiting = await notified(lab)
    await store(phone, waiting)
    await phone.answer(phone.inbox.notifications[0].transaction_id, mm1.Status.REJECTED)
    message = await get(phone, waiting)
    assert message is not None
    assert message.conf.mm_state == (MmState.NEW,)
    assert [one.value for one in (await delete(phone, waiting)).response_statuses] == [ResponseStatus.OK]
    assert await get(phone, waiting) is None


# --- the network's default store ---


async def test_the_network_keeps_everything_where_that_is_set(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(default_store=True, quota_messages=1)) as lab:
        phone, waiting = await notified(lab)
        assert phone.inbox.notifications[0].stored is True
        _, (descr,) = await view(phone)
        assert descr.mm_state == (MmState.NEW,)
        message = await get(phone, waiting)
        assert message is not None
        assert message.conf.transaction_id
        conf, _ = await view(phone, mm_state=(MmState.RETRIEVED,))
        assert conf.message_count == 1
        await lab.vasp.submit(PHONE, content=picture())
        inbox = await phone.until(lambda inbox: len(inbox.notifications) == 2)
        assert inbox.notifications[1].stored is None  # the box is full


# --- m-mbox-delete, m-delete ---


async def test_deleting_says_what_could_not_be(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    mine, mine_too, foreign = await upload(phone), await upload(phone), await upload(other)
    conf = await delete(phone, mine, mine_too)
    assert [(one.count, one.value) for one in conf.response_statuses] == [(0, ResponseStatus.OK)]
    assert conf.content_locations == ()
    conf = await delete(phone, mine, foreign)
    assert [(one.count, one.value) for one in conf.content_locations] == [(0, mine), (1, foreign)]
    missing = ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert [(one.count, one.value) for one in conf.response_statuses] == [(0, missing), (1, missing)]
    assert (await view(phone))[1] == []
    assert len((await view(other))[1]) == 1


async def forget(phone: Handset, *locations: str) -> list[object]:
    pdu = mm1.MDeleteReq(mms_version=mm1.VERSION_1_3, transaction_id="D1", content_locations=locations)
    conf = await ask(phone, pdu, mm1.MDeleteConf)
    return [one.value for one in conf.response_statuses]


async def test_what_waits_can_be_deleted_unread(lab: Lab) -> None:
    """Its sender hears Rejected: its recipient does not want it."""
    phone, waiting = await notified(lab)
    await phone.answer(phone.inbox.notifications[0].transaction_id, mm1.Status.DEFERRED)
    assert await forget(phone, waiting) == [ResponseStatus.OK]
    assert str((await lab.vasp.report()).mm_status) == "Rejected"
    assert await forget(phone, waiting) == [ResponseStatus.OK]  # the conf was lost: the same again
    assert await get(phone, waiting) is None


async def test_who_has_fetched_an_mm_and_deletes_it_has_had_it(lab: Lab) -> None:
    phone, waiting = await notified(lab)
    assert await get(phone, waiting) is not None
    await lab.app.engine.store.commit(lab.app.engine.chronicle.unit(None, (), ()))
    assert await forget(phone, waiting) == [ResponseStatus.OK]
    assert str((await lab.vasp.report()).mm_status) == "Retrieved"
    assert await forget(phone, waiting) == [ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND]


async def test_nobody_deletes_what_is_not_his_or_does_not_wait(lab: Lab) -> None:
    phone, waiting = await notified(lab)
    other = await lab.phone(OTHER)
    kept = await upload(other)
    missing = ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert await forget(other, waiting, kept, "http://mmsc/m/unknown") == [missing] * 3
    assert await get(phone, waiting) is not None


# --- who asks, and what is too much ---


async def test_without_an_identity_everything_is_denied(lab: Lab) -> None:
    nobody = await lab.phone(PHONE, identity_header="")
    denied = ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
    assert (await view(nobody))[0].response_status is denied
    assert (await store(nobody, "/b/x")).store_status is StoreStatus.ERROR_PERMANENT_SERVICE_DENIED
    conf = await ask(nobody, upload_req(), mm1.MMboxUploadConf)
    assert conf.store_status is StoreStatus.ERROR_PERMANENT_SERVICE_DENIED
    assert [one.value for one in (await delete(nobody, "/b/x")).response_statuses] == [denied]
    assert await forget(nobody, "/m/x") == [denied]


async def test_a_request_names_no_more_locations_than_it_may(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(maximum_locations=2)) as lab:
        phone = await lab.phone(PHONE)
        three = ("/b/x",) * 3
        refused = ResponseStatus.ERROR_PERMANENT_FAILURE
        assert (await view(phone, content_locations=three))[0].response_status is refused
        assert [one.value for one in (await delete(phone, *three)).response_statuses] == [refused]
        assert await forget(phone, *three) == [refused]


async def test_while_the_store_is_away_nothing_is_promised(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = await lab.phone(PHONE)
    location = await upload(phone)

    async def away(*_: object) -> None:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(lab.app.store, "commit", away)
        later = StoreStatus.ERROR_TRANSIENT_FAILURE
        assert (await store(phone, location, mm_state=(MmState.SENT,))).store_status is later
        assert (await ask(phone, upload_req(), mm1.MMboxUploadConf)).store_status is later
        statuses = (await delete(phone, location)).response_statuses
        assert [one.value for one in statuses] == [ResponseStatus.ERROR_TRANSIENT_FAILURE]
        patch.setattr(lab.app.store, "fetch_one", away)
        assert (await view(phone))[0].response_status is ResponseStatus.ERROR_TRANSIENT_FAILURE
        assert (await phone._request("GET", location))[0] == 503
    _, (descr,) = await view(phone)
    assert descr.mm_state == (MmState.DRAFT,)


# --- m-forward ---


async def forward(phone: Handset, location: str, **fields: object) -> mm1.MForwardConf:
    values: dict[str, object] = {"transaction_id": tid(), "from_": mm1.INSERT_ADDRESS, "to": (OTHER,), **fields}
    pdu = mm1.MForwardReq(mms_version=mm1.VERSION_1_2, content_location=location, **values)  # type: ignore[arg-type]
    return await ask(phone, pdu, mm1.MForwardConf)


async def test_what_is_in_the_box_is_sent_on(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    location = await upload(phone, mm_state=(MmState.RETRIEVED,))
    confs = [await forward(phone, location, transaction_id="F1") for _ in range(2)]
    assert confs[0] == confs[1]
    assert confs[0].response_status is ResponseStatus.OK
    message = (await other.until(lambda inbox: bool(inbox.messages))).messages[0]
    assert [message.octets_of(part) for part in message.parts] == [b"hello"]
    assert [one.value for one in message.conf.previously_sent_by] == [f"{PHONE}/TYPE=PLMN"]
    assert (await view(phone))[1][0].mm_state == (MmState.FORWARDED,)
    assert (await forward(phone, location)).message_id != confs[0].message_id
    assert len((await other.until(lambda inbox: len(inbox.messages) == 2)).messages) == 2


async def test_a_draft_that_is_sent_on_is_sent_for_the_first_time(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    location = await upload(phone)
    conf = await forward(phone, location, store=True, mm_flags=(Flagged(ADD, "copy"),))
    assert (conf.response_status, conf.store_status) == (ResponseStatus.OK, StoreStatus.SUCCESS)
    message = (await other.until(lambda inbox: bool(inbox.messages))).messages[0]
    assert (message.conf.previously_sent_by, message.conf.subject) == ((), "a draft")
    _, shown = await view(phone)
    assert [(one.mm_state, one.mm_flags) for one in shown] == [
        ((MmState.SENT,), ()),
        ((MmState.SENT,), (Flagged(ADD, "copy"),)),
    ]
    assert shown[1].content_location == conf.content_location


async def test_nobody_sends_on_what_is_not_in_his_box(lab: Lab) -> None:
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    location = await upload(phone)
    conf = await forward(other, location)
    assert conf.response_status is ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert await lab.app.store.fetch("SELECT id FROM mm") == []


async def test_the_virtual_handset_uses_its_box(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    kept = await phone.mmbox.upload([TEXT], flags=("family",), subject="mine")
    assert kept.store_status is StoreStatus.SUCCESS
    location = kept.content_location or ""
    await phone.mmbox.store(location, state=MmState.SENT, remove=("family",), add=("work",))
    (found,) = (await phone.mmbox.view(flags=("work",), attributes=(SUBJECT, CONTENT))).found
    assert (found.mm_state, found.subject) == ((MmState.SENT,), "mine")
    assert found.body.endswith(TEXT.data)
    assert [one.value for one in (await phone.mmbox.delete(location)).response_statuses] == [ResponseStatus.OK]
    assert (await phone.mmbox.view()).found == ()
