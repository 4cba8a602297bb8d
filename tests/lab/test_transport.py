"""How a handset speaks HTTP: what it says of itself, proxies, slow and broken lines, odd families."""

import asyncio

import pytest

from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.lab.handset_profiles import PROFILES, profile_named
from protocols import mm1
from protocols.mm1 import MNotifyRespInd, MSendConf, MSendReq, ResponseStatus
from tests.lab.conftest import NUMBER, PARTS, FakeMmsc, MakeHandset, notification, pushed

ADDRESS = "http://mmsc.example/m/m1"


@pytest.mark.parametrize("name", PROFILES)
async def test_it_says_what_it_is(mmsc: FakeMmsc, handset: MakeHandset, name: str) -> None:
    profile = PROFILES[name]
    phone = await handset(profile=profile)
    await phone.get(mmsc.offer())
    headers = mmsc.heard[0].headers
    assert headers["User-Agent"] == profile.user_agent
    assert headers.get("x-wap-profile") == (f'"{profile.profile_url}"' if profile.profile_url else None)
    assert headers["Accept"] == ", ".join(profile.accept)
    assert headers["X-MSISDN"] == NUMBER.lstrip("+")
    assert mm1.VERSION_1_0 <= phone.version <= mm1.VERSION_1_3


def test_a_profile_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'iron' is no profile; there are lab, lab-1\.0"):
        profile_named("iron")


async def test_without_a_header_nobody_knows_it(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(identity_header="")
    await phone.get(mmsc.offer())
    assert "X-MSISDN" not in mmsc.heard[0].headers


async def test_by_a_proxy_its_targets_are_whole_addresses(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    """RFC 9112 3.2.2: absolute-form."""
    mmsc.offer()
    phone = await handset(proxy=mmsc.url.removeprefix("http://").rstrip("/"))
    await phone.on_push(pushed(notification(ADDRESS)))
    assert [one.target for one in mmsc.heard] == [ADDRESS, mmsc.url]
    assert len(phone.inbox.messages) == 1


async def test_a_slow_reader_takes_its_time(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    phone = await handset(behaviours=behaviours_of("slow=100"), pause=pause)
    await phone.on_push(pushed(mmsc.offer()))
    size = len(mmsc.files["/m/m1"])  # type: ignore[arg-type]
    assert sum(waited) == pytest.approx(size / 100)
    assert max(waited) <= 0.1
    assert len(phone.inbox.messages) == 1


async def test_a_line_that_breaks_halfway_and_another_try(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(behaviours=behaviours_of("cut=2+retry=2"))
    await phone.on_push(pushed(mmsc.offer()))
    assert [one.pdu is None for one in mmsc.heard] == [True, True, True, False]
    half = len(mmsc.files["/m/m1"]) // 2  # type: ignore[arg-type]
    assert phone.inbox.failures == [f"GET {mmsc.url}m/m1: the line was lost after {half} octets"] * 2
    assert len(phone.inbox.messages) == 1


async def test_a_line_that_breaks_and_nobody_tries_again(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(behaviours=behaviours_of("cut"))
    await phone.on_push(pushed(mmsc.offer()))
    assert (phone.inbox.messages, mmsc.pdus()) == ([], [])


async def test_the_transaction_id_is_appended(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    mmsc.offer("N1")
    phone = await handset(profile=PROFILES["aosp-append"])
    await phone.on_push(pushed(notification(f"{mmsc.url}m/")))
    assert [one.target for one in mmsc.heard] == ["/m/N1", "/"]


async def test_answers_go_to_the_content_location(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=PROFILES["answers-location"])
    await phone.on_push(pushed(mmsc.offer()))
    assert mmsc.heard[1].target == "/m/m1"
    assert isinstance(mmsc.heard[1].pdu, MNotifyRespInd)


async def test_one_that_never_acknowledges(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=PROFILES["unacknowledging"])
    notified = mmsc.offer()
    await phone.on_push(pushed(notified))
    await phone.fetch(notified)
    assert mmsc.pdus() == []
    assert len(phone.inbox.messages) == 2


async def test_redirects_are_not_followed(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    mmsc.files["/m/m1"] = 302
    phone = await handset()
    assert await phone.get(notification(f"{mmsc.url}m/m1")) is None
    assert phone.inbox.failures[0].endswith("HTTP 302")


async def test_what_it_means_to_do_later_ends_with_it(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    async def for_ever(seconds: float) -> None:
        await asyncio.Event().wait()

    phone = await handset(behaviours=behaviours_of("wait=5"), pause=for_ever)
    await phone.on_push(pushed(mmsc.offer()))
    await phone.__aexit__(None, None, None)
    assert mmsc.heard == []


async def test_an_mm_that_it_sends_has_every_field_of_the_pdu(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    ok = ResponseStatus.OK
    mmsc.confs[MSendReq] = lambda pdu: MSendConf(transaction_id=pdu.transaction_id, response_status=ok)
    phone = await handset(version=mm1.VERSION_1_3)
    hide = mm1.SenderVisibility.HIDE
    conf = await phone.send(["a@b.example"], PARTS, sender="+1/TYPE=PLMN", sender_visibility=hide, store=True)
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MSendReq)
    assert (sent.from_, sent.sender_visibility, sent.store) == ("+1/TYPE=PLMN", hide, True)
    assert (sent.mms_version, conf.response_status) == (mm1.VERSION_1_3, ok)


async def test_an_mmsc_that_is_busy_is_asked_again(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    mmsc.files["/m/m1"] = 503
    phone = await handset(behaviours=behaviours_of("retry=2"))
    await phone.on_push(pushed(notification(f"{mmsc.url}m/m1")))
    assert phone.inbox.failures == [f"GET {mmsc.url}m/m1: HTTP 503"] * 3
    assert mmsc.pdus() == []
