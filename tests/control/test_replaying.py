"""Captured requests sent again over real sockets: HTTP, SMTP, SMPP; edited, with lengths made right or left wrong."""

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mmsc.control.replaying import NotAllowed, Replay, Replaying, Unreplayable, wires
from mmsc.control.replaying.targets import target_of
from mmsc.settings import SettingsError, load
from mmsc.settings.model import Console
from mmsc.trace.pcapng.addresses import wire
from mmsc.trace.pcapng.naming import name_of
from protocols import mm7, smpp
from tests.console.captures_world import console_lab, one_story
from tests.scenarios.conftest import Lab
from tests.scenarios.test_mm4 import FOREIGN, Two, two

__all__ = ["two"]
LOGIN = "Basic bmV3czpzZWNyZXQ="


def replaying(lab: Lab) -> Replaying:
    found = lab.app.operations._holder["control"].replaying
    assert found is not None
    return found


def exchange(lab: Lab, mm_id: int, interface: str, start: bytes = b"") -> int:
    assert lab.app.captures is not None
    found = lab.app.captures.of_mm(mm_id)
    return next(one.exchange for one in found if one.interface == interface and one.octets.startswith(start))


async def test_a_submission_again_is_another_mm(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        mm_id = await one_story(lab)
        service = replaying(lab)
        draft = await service.draft(exchange(lab, mm_id, "mm7", b"POST /mm7"))
        assert draft.masked == ("Authorization",)
        assert (draft.host, draft.port) == lab.app.listeners["mm7"]
        assert (await service.send(draft)).answer.startswith(b"HTTP/1.1 401 ")
        edited = replace(draft, authorization=LOGIN, body=draft.body.replace(b">t1<", b">another-one<"))
        done = await service.send(edited)
        assert done.answer.startswith(b"HTTP/1.1 200 ")
        assert b"another-one" in done.answer
        assert done.problem == ""
        assert b"Content-Length: %d\r\n" % len(edited.body) in done.sent
        rsp = mm7.decode("text/xml", done.answer.partition(b"\r\n\r\n")[2]).message.message
        assert isinstance(rsp, mm7.SubmitRsp)
        row = await lab.app.store.fetch_one("SELECT count(*) FROM mm")
        assert row == (2,)


async def test_a_wrong_length_stays_wrong_on_wish(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        mm_id = await one_story(lab)
        draft = await replaying(lab).draft(exchange(lab, mm_id, "mm7", b"POST /mm7"))
        head = draft.head.replace("Content-Length: ", "Content-Length: x")
        done = await replaying(lab).send(replace(draft, head=head, correct=False))
        assert done.answer.startswith(b"HTTP/1.1 400 ")


async def test_what_a_phone_asked_is_asked_again(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        mm_id = await one_story(lab)
        done = await replaying(lab).send(await replaying(lab).draft(exchange(lab, mm_id, "mm1", b"GET ")))
        assert done.answer.startswith(b"HTTP/1.1 ")
        assert done.milliseconds > 0


async def test_a_push_again_needs_the_password(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        mm_id = await one_story(lab)
        service = replaying(lab)
        draft = await service.draft(exchange(lab, mm_id, "smpp"))
        assert draft.masked == ("the password of the bind",)
        refused = await service.send(replace(draft, system_id="mmsc", password="wrong"))
        assert "bind refused" in refused.problem
        assert name_of("smpp", refused.answer) == ""
        done = await service.send(replace(draft, system_id="mmsc", password="secret"))
        assert done.problem == ""
        response = smpp.decode(done.answer).message
        assert isinstance(response, smpp.SubmitSmResp)
        assert response.sequence_number == 2


async def test_a_mail_again_is_known_as_a_repeat(two: Two) -> None:
    phone = await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN)
    await phone.until(lambda inbox: bool(inbox.notifications))
    captures, service = two.other.captures, two.other.operations._holder["control"].replaying
    assert captures is not None
    assert service is not None
    number = next(one.exchange for one in captures.latest(50) if b"MM4_forward.REQ" in one.octets)
    done = await service.send(await service.draft(number))
    assert done.answer.startswith(b"250")
    assert done.sent == next(
        one.octets for one in captures.latest(50) if one.exchange == number and one.octets[3:4] != b" "
    )
    assert "C: MAIL FROM:<" in done.talk
    assert await two.other.store.fetch_one("SELECT count(*) FROM mm") == (1,)


async def test_others_are_called_only_when_the_settings_name_them(tmp_path: Path) -> None:
    wanted = Replay(interface="mm7", host="192.0.2.7", port=80, head="GET / HTTP/1.1\nHost: x", body=b"")
    async with console_lab(tmp_path, console=Console(enabled=True, port=0, replay_hosts=("localhost",))) as (lab, _):
        for host, port in (("192.0.2.7", 80), ("127.0.0.1", lab.app.listeners["mm7"][1] + 1), ("::1", 80)):
            with pytest.raises(NotAllowed, match=r"console\.replay_targets"):
                await replaying(lab).send(replace(wanted, host=host, port=port))
        nobody = await replaying(lab).send(replace(wanted, host="localhost", port=1))
        assert nobody.problem.startswith("localhost:1: ")
        with pytest.raises(ValueError, match="line break"):
            await replaying(lab).send(replace(wanted, host="localhost", authorization="a\nb"))
        with pytest.raises(Unreplayable):
            await replaying(lab).draft(1)


async def test_what_is_set_up_is_called_and_nothing_else_on_this_machine(tmp_path: Path) -> None:
    """Somebody's database listens on loopback, too, and whoever has the token can call it a VASP."""

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer.get_extra_info("sockname")[1])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    asked: list[int] = []
    others = [await asyncio.start_server(count, "127.0.0.1", 0) for _ in range(2)]
    named, other = (one.sockets[0].getsockname()[1] for one in others)
    console = Console(enabled=True, port=0, replay_targets=(f"localhost:{named}",))
    async with console_lab(tmp_path, console=console) as (lab, url):
        wanted = Replay(interface="mm7", host="127.0.0.1", port=named, head="GET / HTTP/1.1\nHost: x", body=b"")
        assert (await replaying(lab).send(wanted)).answer.startswith(b"HTTP/1.1 204")
        with pytest.raises(NotAllowed):
            await replaying(lab).send(replace(wanted, port=other))
        vasp, smsc = lab.app.engine.neighbours.vasps["news"], next(iter(lab.app.engine.neighbours.smscs.values()))
        replaying(lab)._targets.check("LocalHost", smsc.port)
        replaying(lab)._targets.check(*wire(urlsplit(vasp.report_url).netloc))
        made = {"deliver_url": f"http://127.0.0.1:{other}/"}
        async with lab.vasp.session.put(f"{url}/api/v1/vasps/made", json=made) as answer:
            assert answer.status == 201, await answer.text()
        assert "made" in lab.app.engine.neighbours.vasps
        mm_id = await one_story(lab)
        body = {"exchange": str(exchange(lab, mm_id, "mm7", b"POST /mm7")), "target": f"127.0.0.1:{other}"}
        async with lab.vasp.session.post(f"{url}/api/v1/replay", json=body) as answer:
            assert answer.status == 403
            assert f"127.0.0.1:{other} is no listener" in (await answer.json())["detail"]
    assert asked == [named]
    for one in others:
        one.close()


@pytest.mark.parametrize("wrong", ["localhost", "a b:1", "[::1]", "x:0", "x:65536", "x:65616", "x:99999", "http://x:1"])
def test_targets_are_hosts_with_ports(tmp_path: Path, wrong: str) -> None:
    config = tmp_path / "mmsc.toml"
    config.write_text(f'[console]\nreplay_targets = ["{wrong}"]\n')
    with pytest.raises(SettingsError, match="HOST:PORT"):
        load(config, {})


@pytest.mark.parametrize("port", [1, 9999, 10000, 59999, 64999, 65499, 65529, 65535])
def test_every_port_may_be_one_of_a_target(tmp_path: Path, port: int) -> None:
    config = tmp_path / "mmsc.toml"
    config.write_text(f'[console]\nreplay_targets = ["x:{port}"]\n')
    assert load(config, {}).console.replay_targets == (f"x:{port}",)


def test_a_written_target_means_what_it_says(tmp_path: Path) -> None:
    """65616 is no other word for port 80."""
    for target, found in (
        (" x:80 ", ("x", 80)),
        ("x", ("x", 25)),
        ("[::1]:65535", ("::1", 65535)),
        ("::1", ("::1", 25)),
    ):
        assert target_of(target, 25) == found
    for wrong in ("x:0", "x:65536", "db.lab:65616", "[::1]:65616"):
        with pytest.raises(ValueError, match="from 1 to 65535"):
            target_of(wrong, 25)


async def test_a_port_that_is_none_is_told_in_console_and_rest(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        number = exchange(lab, await one_story(lab), "mm7", b"POST /mm7")
        wanted = {"target": "127.0.0.1:65616"}
        async with lab.vasp.session.post(f"{url}/captures/{number}/replay", data=wanted) as answer:
            assert answer.status == 422
            assert "from 1 to 65535" in await answer.text()
        async with lab.vasp.session.post(f"{url}/api/v1/replay", json={"exchange": str(number)} | wanted) as answer:
            assert answer.status == 422
            assert "from 1 to 65535" in (await answer.json())["detail"]


@pytest.mark.parametrize(("interims", "whole"), [(3, True), (20, True), (21, False), (50_000, False)])
async def test_a_server_that_says_go_on_for_ever_is_left(tmp_path: Path, interims: int, whole: bool) -> None:
    """RFC 9110 15.2: interim answers before the final one, in one block or many."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * interims)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        done = await wires.http(Replay(interface="mm7", host="127.0.0.1", port=port, head="GET / HTTP/1.1", body=b""))
    assert done.answer.endswith(b"\r\n\r\nok") or not whole
    assert done.problem.endswith("more than 20 interim answers (1xx), and no other") is not whole


async def test_a_mail_server_whose_line_never_ends_is_left_with_the_talk_so_far(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await reader.readline()
        writer.write(b"2" * 200_000)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        done = await wires.smtp(Replay(interface="mm4", host="127.0.0.1", port=port, head="MAIL FROM:<a@b>", body=b""))
    assert done.problem == f"127.0.0.1:{port}: a line of the reply has no end"
    assert done.talk.splitlines() == ["S: 220 here", "C: EHLO localhost"]
