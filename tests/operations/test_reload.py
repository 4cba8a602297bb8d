"""SIGHUP on a real process: what can change does, what cannot is listed, and nobody is cut off."""

import base64
import itertools
import json
import re
import signal

import aiohttp
import pytest

from mmsc.lab.smsc import VirtualSmsc
from protocols import mm7
from tests.operations.conftest import Server, bound

pytestmark = pytest.mark.slow
_numbers = itertools.count()


async def submit(server: Server, vasp: str, to: str = "+15550000001") -> int | mm7.StatusCode:
    """What a submission with a VASP's credentials (password `secret`) comes to: HTTP 401, or its status."""
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    request = mm7.SubmitReq(subject="Hello", to=(mm7.Address(to),))
    content_type, body = mm7.encode(mm7.Envelope(f"t{next(_numbers)}", dialect, request))
    login = base64.b64encode(f"{vasp}:secret".encode()).decode()
    headers = {"Content-Type": content_type, "Authorization": f"Basic {login}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.mm7, data=body, headers=headers) as answer,
    ):
        if answer.status == 401:
            return 401
        message = mm7.decode(answer.headers["Content-Type"], await answer.read()).message.message
    assert isinstance(message, mm7.SubmitRsp | mm7.Fault)
    assert message.status is not None
    return message.status.code


async def test_a_new_vasp_submits_a_removed_one_is_refused_and_the_bind_stays(
    server: Server, smsc: VirtualSmsc
) -> None:
    before = await bound(smsc)
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    assert await submit(server, "new") == 401
    server.change(more='[vasp.new]\nusername = "new"\npassword = "secret"\n')
    said = await server.reload("taken over")
    assert "taken over: vasp.new" in said
    assert await submit(server, "new") is mm7.StatusCode.SUCCESS
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    server.change(("[vasp.demo]", "[vasp.other]"), ('username = "demo"', 'username = "other"'))
    await server.reload(r"taken over: vasp\.demo, vasp\.other")
    assert await submit(server, "demo") == 401
    assert await bound(smsc) == before, "the SMSC saw nothing of it"
    assert await server.metric('mmsc_config_reloads_total{result="applied"}') == 2


async def test_a_wrong_file_changes_nothing_and_the_log_names_the_key(server: Server) -> None:
    server.change(("[vasp.demo]", "[vasp.gone]"), ('own_prefixes = ["+1555"]', 'own_prefixes = ["1555"]'))
    said = await server.reload("not taken over")
    line = json.loads(said.splitlines()[0])
    assert line["level"] == "error"
    assert "numbers.own_prefixes[0] = '1555': Expected + and digits" in line["message"]
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    assert await server.metric('mmsc_config_reloads_total{result="refused"}') == 1
    server.config.unlink()
    await server.reload("No such file")
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS


async def test_what_needs_a_restart_is_listed_and_left_and_the_rest_is_taken_over(server: Server) -> None:
    server.change(
        ("[mm7]\nport = 0", "[mm7]\nport = 1"), more="[lanes]\nbacklog = 7\n[limits]\nmaximum_recipients = 1\n"
    )
    said = await server.reload("taken over")
    assert "lanes.backlog changed and needs a restart" in said
    assert "mm7.port changed and needs a restart" in said
    assert re.search(r'taken over: limits\.maximum_recipients"', said)
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    assert await server.metric("mmsc_config_restart_keys") == 2
    assert await server.metric('mmsc_lane_seats{kind="smsc",neighbour="first"}') == 110


async def test_an_smsc_that_changed_is_bound_anew_and_one_that_is_gone_is_unbound(
    server: Server, smsc: VirtualSmsc
) -> None:
    [before] = await bound(smsc)
    other = VirtualSmsc()
    await other.start()
    try:
        server.change(more=f"[smsc.second]\nport = {other.port}\n")
        await server.reload("taken over: smsc.second")
        await bound(other)
        assert await bound(smsc) == [before]
        server.change(('password = "secret"\n[vasp', 'system_id = "mmsc2"\n[vasp'))
        await server.reload("taken over: smsc.first")
        [after] = await bound(smsc)
        assert after is not before
        assert before._state.name == "CLOSED"  # type: ignore[attr-defined]
        assert after.system_id == "mmsc2"  # type: ignore[attr-defined]
        text = server.config.read_text()
        server.config.write_text(text[: text.index("[smsc.second]")])
        await server.reload("taken over: smsc.second")
        await bound(other, 0)
        assert await bound(smsc) == [after]
        assert await server.metric('mmsc_smsc_sessions_bound{neighbour="first"}') == 1
    finally:
        await other.stop()


async def test_the_log_level_and_the_events_in_it_follow(server: Server) -> None:
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    assert "mm.accepted" not in server.log.read_text()
    server.change(("[log]", "[log]\nevents = true"))
    await server.reload("taken over: log.events")
    assert await submit(server, "demo") is mm7.StatusCode.SUCCESS
    said = await server.logged("route.chosen")
    events = [json.loads(line) for line in said.splitlines() if '"mmsc.events"' in line]
    accepted = next(line for line in events if line["event"] == "mm.accepted")
    assert accepted["data"]["message_id"].startswith(accepted["mm_id"])
    routed = next(line for line in events if line["event"] == "route.chosen")
    assert routed["mm_id"] == accepted["mm_id"]
    assert routed["data"]["target"] == "first"


async def test_several_signals_at_once_end_with_the_last_file(server: Server) -> None:
    for number in range(5):
        server.change(more=f'[vasp.v{number}]\nusername = "v{number}"\npassword = "secret"\n')
        server.process.send_signal(signal.SIGHUP)
    await server.logged(r"vasp\.v4")
    assert await submit(server, "v4") is mm7.StatusCode.SUCCESS
