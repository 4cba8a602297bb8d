"""The list of messages as it is asked for: filters in addresses, errors with their place, first steps, one hit."""

import re
import shlex

import aiohttp
import pytest

from tests.console.world import EAGER, SHY, World


async def get(world: World, path: str, status: int = 200) -> str:
    async with aiohttp.ClientSession() as session, session.get(world.url + path, allow_redirects=False) as response:
        assert response.status == status, await response.text()
        return response.headers.get("Location", "") if status == 303 else await response.text()


def rows(html: str) -> list[str]:
    return re.findall(r'<tr class="link" id="m(\d+)"', html)


async def test_an_empty_lab_says_how_to_send_with_its_own_addresses(empty_world: World) -> None:
    """The commands are real: the first one is carried out, and there is a message."""
    html = await get(empty_world, "/")
    assert "No messages yet. Send one:" in html
    commands = re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)
    assert len(commands) == 3
    assert "mmsc submit" in commands[1]
    words = shlex.split(unescaped(commands[0]))
    assert words[0] == "curl"
    url, body = words[-1], words[words.index("-d") + 1]
    login, _, _ = words[words.index("-u") + 1].partition(":")
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    headers["Authorization"] = aiohttp.encode_basic_auth(login, "secret")
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        assert "<StatusCode>1000</StatusCode>" in (await response.text()).replace("ns0:", "")
    assert len(rows(await get(empty_world, "/messages"))) == 1


def unescaped(text: str) -> str:
    for escape, char in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(escape, char)
    return text


@pytest.mark.slow
async def test_filters_stand_in_the_address(full_world: World) -> None:
    everything = rows(await get(full_world, "/messages"))
    assert len(everything) == 13
    assert everything == sorted(everything, key=int, reverse=True)
    rejected = rows(await get(full_world, f"/messages?q=state:rejected+to:%2B{SHY[1:]}"))
    assert 1 <= len(rejected) < len(everything)
    assert rows(await get(full_world, f"/messages?until={everything[3]}"))[0] == everything[3]
    assert rows(await get(full_world, f"/messages?before={everything[3]}"))[0] == everything[4]
    assert rows(await get(full_world, "/messages?since=1h")) == everything
    html = await get(full_world, "/messages?run=ci-4711&q=path:mm7")
    assert "None match" in html
    assert 'href="/messages?q=path:mm7"' in html  # the way out
    grouped = await get(full_world, "/messages?group=state")
    assert sorted(rows(grouped)) == sorted(everything)
    assert grouped.index("is-bad") < grouped.index("is-on") < grouped.index("is-ok")


@pytest.mark.slow
async def test_one_hit_opens_it_and_a_field_does_not(full_world: World) -> None:
    newest = rows(await get(full_world, "/messages"))[0]
    assert await get(full_world, f"/messages?q={newest}", 303) == f"/m/{newest}"
    assert rows(await get(full_world, f"/messages?q=subject+to:{EAGER[1:]}")) == []


async def test_what_is_not_understood_is_told_with_its_place(empty_world: World) -> None:
    html = await get(empty_world, "/messages?q=to:1+stat:x", 400)
    assert "No field &#39;stat&#39;. Did you mean state?" in html
    assert "at character 6" in html
    assert 'value="to:1 stat:x"' in html
    assert "What can be asked for" in html
    assert (await get(empty_world, "/messages/live?q=stat:x", 400)).startswith("400")


async def test_only_what_is_there_is_linked(empty_world: World) -> None:
    html = await get(empty_world, "/")
    application = empty_world.app.operations._listener
    assert application is not None
    routes = {resource.canonical for resource in application._runner.app.router.resources()}
    linked = re.findall(r'data-go="\w" ?[^>]*>|<a href="(/\w+)" data-go', html)
    assert "/messages" in linked
    assert {path for path in linked if path} <= routes
