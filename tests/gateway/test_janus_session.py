"""Janus's protocol, against a server of our own."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from gateway.rooms.janus_session import ANSWERING, WAITING, Janus, JanusLost, JanusRefused
from tests.gateway.scripted_janus import ROOM, scripted_janus

JOIN = {"request": "join", "ptype": "publisher", "room": ROOM, "display": "Cleanplate"}


async def test_a_request_is_answered_and_events_reach_their_handle():
    async with scripted_janus() as server, Janus(server.url) as janus:
        handle = await janus.attach(listening=True)
        assert (await handle.ask(JOIN)).data.private_id == 7
        guest = await server.arrive("Ada")
        assert [each.id for each in (await handle.event()).data.cameras] == [guest.id]


async def test_every_message_brings_what_janus_asks_for():
    async with scripted_janus() as server:
        async with Janus(server.url, token="t" * 16, secret="s" * 16) as janus:
            await janus.attach()
        assert {message["janus"] for message in server.messages} == {"create", "attach", "destroy"}
        for message in server.messages:
            assert message["token"] == "t" * 16
            assert message["apisecret"] == "s" * 16


async def test_a_refusal_of_the_plugin_says_why():
    async with scripted_janus() as server, Janus(server.url) as janus:
        handle = await janus.attach()
        server.pin = "1"
        with pytest.raises(JanusRefused, match="wrong pin") as refused:
            await handle.ask(JOIN)
        assert refused.value.code == 433


async def test_a_refusal_of_janus_says_why():
    async with scripted_janus() as server, Janus(server.url) as janus:
        with pytest.raises(JanusRefused, match="Unknown"):
            await janus.request("nonsense")


@pytest.mark.parametrize(
    "text",
    ["nonsense", "[]", "[" * 100_000, "{}", '{"janus": 1}', '{"janus": "event", "sender": {}}'],
)
async def test_what_is_no_message_of_januss_is_told_and_left_out(
    caplog: pytest.LogCaptureFixture, text: str
):
    async with scripted_janus() as server, Janus(server.url) as janus:
        handle = await janus.attach(listening=True)
        await handle.ask(JOIN)
        for _ in range(3):
            await server.say(text)
        guest = await server.arrive("Ada")
        assert [each.id for each in (await handle.event()).data.cameras] == [guest.id]
    assert len(caplog.messages) == 1
    assert "which is left out" in caplog.messages[0]


async def test_who_is_not_answered_fails_alone():
    async with scripted_janus() as server, Janus(server.url) as janus:
        handle = await janus.attach()
        server.silent.add("message")
        janus._patience = 0.05
        with pytest.raises(JanusRefused, match="no answer to message"):
            await handle.ask(JOIN)
        server.silent.clear()
        janus._patience = ANSWERING
        assert (await handle.ask(JOIN)).data.id is not None


async def test_a_session_that_janus_does_not_know_any_more_is_lost():
    async with scripted_janus() as server, Janus(server.url) as janus:
        gone = asyncio.create_task(janus.lost())
        await server.say('{"janus": "error", "error": {"code": 458, "reason": "No such session"}}')
        with pytest.raises(JanusLost, match="forgot"):
            await gone


async def test_events_that_nobody_reads_end_nothing_and_others_have_a_bound():
    async with scripted_janus() as server, Janus(server.url) as janus:
        read, unread = await janus.attach(listening=True), await janus.attach()
        for handle in (unread, read):
            await handle.ask(JOIN)
        ends = [asyncio.create_task(handle.over()) for handle in (unread, read)]
        for number in range(WAITING + 1):
            await server.announce({"leaving": number})
        with pytest.raises(JanusLost, match="came at once"):
            await ends[1]
        assert not ends[0].done()
        ends[0].cancel()


async def test_a_number_that_is_not_given_is_a_refusal():
    async with scripted_janus() as server, Janus(server.url) as janus:
        server.numberless = True
        with pytest.raises(JanusRefused, match="which number"):
            await janus.attach()


async def test_a_server_that_goes_is_noticed_by_all_who_wait():
    async with scripted_janus() as server, Janus(server.url) as janus:
        handle = await janus.attach(listening=True)
        waiting = asyncio.create_task(handle.event())
        gone = asyncio.create_task(janus.lost())
        await asyncio.sleep(0)
        await server.drop()
        for task in (waiting, gone):
            with pytest.raises(JanusLost):
                await task
        with pytest.raises(JanusLost):
            await janus.attach()


async def test_who_is_no_janus_is_told_apart():
    async def other(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    app = web.Application()
    app.router.add_get("/", other)
    async with TestServer(app) as server:
        with pytest.raises(JanusLost, match="does not speak"):
            async with Janus(URL(str(server.make_url("/"))).with_scheme("ws")):
                pass
    with pytest.raises(JanusLost, match="cannot be reached"):
        async with Janus(URL("ws://127.0.0.1:9")):
            pass
