"""The gateway in a VideoRoom: real media over loopback, a scripted Janus and engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.relays.backoff import Patience
from gateway.relays.leg import Hopeless
from gateway.rooms.janus_room import JanusRoom
from gateway.rooms.janus_seat import MARK, RoomPlan
from gateway.scenery import read_scenery
from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.loopback import Gateway, running, until
from tests.gateway.scripted_janus import ROOM, ScriptedJanus, scripted_janus

QUICKLY = Patience(first=0.05, longest=0.1, settled=0.0)


def room_of(gateway: Gateway, server: ScriptedJanus, **wishes: Any) -> JanusRoom:
    plan = RoomPlan(server.url, ROOM, scenery=read_scenery({"backdrop": "#000000"}))
    return JanusRoom(
        replace(plan, **wishes),
        gateway.worker,
        deadline=8,
        patience=QUICKLY,
        tell=lambda line: None,
    )


@contextlib.asynccontextmanager
async def staying(room: JanusRoom) -> AsyncIterator[None]:
    task = asyncio.create_task(room.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_each_publisher_is_shown_matted_beside_themselves(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada = await server.arrive("Ada")
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server.shown and server.shown[0].screen.count > 3, what="a picture")
            shown = server.shown[0]
            assert shown.display == "Ada" + MARK
            await until(lambda: abs(shown.screen.corner - BLACK) < 12, what="the backdrop alone")
            assert abs(shown.screen.centre - BLACK) < 12
            await room.seats[ada.id].feed.stream.plate.capture()
            ada.camera.person = True
            await until(lambda: abs(shown.screen.centre - PERSON) < 20, what="the person")
            assert abs(shown.screen.corner - BLACK) < 12
            assert list(room.seats) == [ada.id], "composites are nobody to be matted"
        assert server.shown == []


async def test_who_comes_later_is_matted_and_who_leaves_is_let_go(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server._controls, what="the gateway in the room")
            ada = await server.arrive("Ada")
            await until(lambda: len(server.shown) == 1, what="Ada's composite")
            assert gateway.worker.gauges()["streams_live"] == 1
            await server.depart(ada)
            await until(lambda: not server.shown and not room.seats, what="nobody's composite")
            assert gateway.worker.gauges()["streams_live"] == 0


async def test_who_comes_back_while_their_stream_lingers_is_heard_too(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        server.sounds = True
        ada = await server.arrive("Ada")
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server.shown, what="Ada's composite")
            await server.depart(ada)
            await until(lambda: not room.seats, what="nobody")
            await server.come_back(ada)
            await until(lambda: server.shown, what="Ada's composite again")
            assert [each["audio"] for each in server.bodies("configure")] == [True, True]


async def test_only_those_who_are_wanted_are_matted(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        room = room_of(gateway, server, wanted=frozenset({"Grace"}))
        await server.arrive("Ada")
        await server.arrive(f"Somebody{MARK}")
        grace = await server.arrive("Grace")
        async with staying(room):
            await until(lambda: server.shown, what="a composite")
            assert list(room.seats) == [grace.id]


async def test_a_plate_outlives_the_loss_of_janus(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada = await server.arrive("Ada")
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server.shown and server.shown[0].screen.count > 3, what="a picture")
            stream = room.seats[ada.id].feed.stream
            await stream.plate.capture()
            before = server.shown[0]
            await server.drop()
            await until(
                lambda: server.shown and server.shown[0] is not before, what="another composite"
            )
            assert room.seats[ada.id].feed.stream is stream
            assert stream.plate.state == "ready"
            again = server.shown[0]
            ada.camera.person = True
            await until(
                lambda: again.screen.count and abs(again.screen.centre - PERSON) < 20,
                what="the person",
            )


async def test_a_wrong_pin_is_hopeless(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        server.pin = "1234"
        with pytest.raises(Hopeless, match="PIN"):
            await room_of(gateway, server).run()


async def test_the_engines_limit_is_told_and_others_go_on(tmp_path: Path):
    async with running(tmp_path, max_streams=1) as gateway, scripted_janus() as server:
        told: list[str] = []
        room = room_of(gateway, server)
        room._tell = told.append
        for name in ("Ada", "Grace"):
            await server.arrive(name)
        async with staying(room):
            await until(lambda: server.shown, what="one composite")
            assert len(room.seats) == 1
            assert any("no place" in line for line in told)


async def test_a_backdrop_that_was_taken_away_is_told_and_others_go_on(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        told: list[str] = []
        room = room_of(gateway, server)
        room._tell = told.append
        await server.arrive("Ada")
        async with staying(room):
            await until(lambda: server.shown, what="Ada's composite")
            scenery = read_scenery({"backdrop": "gone"})
            room._plan = replace(room._plan, scenery=scenery)
            await server.arrive("Grace")
            await until(lambda: "Grace: no backdrop or plate is called gone any more" in told)
            before = server.shown[0].screen.count
            await until(lambda: server.shown and server.shown[0].screen.count > before + 5)


async def test_who_has_a_streams_key_takes_it_over_and_the_gateway_lets_it_go(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada = await server.arrive("Ada")
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server.shown, what="a composite")
            stream = room.seats[ada.id].feed.stream
            page = gateway.client()
            await page.publish(f"/whip/{stream.name}", key=stream.key)
            await page.video(3)
            await until(lambda: not server.shown, what="nobody's composite")


async def test_a_stream_is_let_go_while_janus_is_away_and_not_taken_back(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada, told = await server.arrive("Ada"), list[str]()
        room = room_of(gateway, server)
        room._tell = told.append
        async with staying(room):
            await until(lambda: server.shown, what="a composite")
            stream = room.seats[ada.id].feed.stream
            server.away = True
            await server.drop()
            await until(lambda: any("cannot be reached" in line for line in told))
            page = gateway.client()
            async with asyncio.timeout(8):
                await page.publish(f"/whip/{stream.name}", key=stream.key)
            assert not room.seats
            server.away = False
            await until(lambda: told[-1] == f"in room {ROOM}, where 1 publish", what="a return")
            await server.arrive("Grace")
            await until(lambda: server.shown, what="a composite of Grace")
            assert [each.display for each in server.shown] == ["Grace" + MARK]
            await server.unpublish(ada)
            await server.come_back(ada)
            eve = await server.arrive("Eve")
            await until(lambda: eve.id in room.seats, what="Eve")
            assert ada.id not in room.seats, "who turned their camera off and on stays in the room"
            await page.video(3)
            await server.depart(ada)
            await server.come_back(ada)
            await until(lambda: ada.id in room.seats, what="Ada, after she was away")


async def test_a_malformed_answer_concerns_one_person_alone_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada, told = await server.arrive("Ada"), list[str]()
        server.nonsense.add(ada.id)
        await server.arrive("Grace")
        room = room_of(gateway, server)
        room._tell = told.append
        async with staying(room):
            tries = "Ada: watching: Janus answers without a session description"
            await until(lambda: sum(line.startswith(tries) for line in told) > 2, what="tries")
            await until(lambda: server.shown, what="Grace's composite")
            assert [each.display for each in server.shown] == ["Grace" + MARK]
            assert caplog.text.count("which is left out: jsep:") == 1
            server.nonsense.clear()
            await until(lambda: len(server.shown) == 2, what="Ada's composite too")


async def test_a_janus_that_does_not_say_whom_it_let_in_is_asked_again(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        await server.arrive("Ada")
        server.nameless, told = 1, list[str]()
        room = room_of(gateway, server)
        room._tell = told.append
        async with staying(room):
            await until(lambda: server.shown, what="a composite")
            assert any("does not say under which id" in line for line in told)


NAMELESS = {"display": "Nobody", "streams": [{"type": "video"}]}


@pytest.mark.parametrize(
    ("event", "mistake"),
    [
        ({"publishers": [NAMELESS]}, "publishers.id: Field required"),
        ({"publishers": [{**NAMELESS, "id": [1]}]}, "publishers.id: neither a number nor a name"),
        ({"publishers": {"id": 5}}, "publishers: Input should be a valid tuple"),
        ({"publishers": ["Nobody"]}, "publishers: Input should be a valid dictionary"),
        ({"unpublished": {}}, "unpublished: neither a number nor a name"),
        ({"leaving": [[]]}, "leaving: neither a number nor a name"),
        ("nonsense", "data: Input should be a valid dictionary"),
    ],
)
async def test_a_malformed_event_is_told_once_and_everybodys_composite_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, event: Any, mistake: str
):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        ada = await server.arrive("Ada")
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server.shown and server.shown[0].screen.count > 2, what="a picture")
            before = server.shown[0]
            for _ in range(3):
                await server.announce(event)
            # Who comes in the same event, and after it, is matted.
            grace = await server.arrive("Grace")
            await until(lambda: grace.id in room.seats, what="Grace")
            count = before.screen.count
            await until(lambda: before.screen.count > count, what="Ada's composite")
            assert list(room.seats) == [ada.id, grace.id]
            assert sum(mistake in line for line in caplog.messages) == 1
            assert len(server.bodies("join")) <= 5, "nobody joined again"


async def test_who_is_announced_beside_somebody_malformed_is_matted(tmp_path: Path):
    async with running(tmp_path) as gateway, scripted_janus() as server:
        room = room_of(gateway, server)
        async with staying(room):
            await until(lambda: server._controls, what="the gateway in the room")
            ada = await server.arrive("Ada", beside=[NAMELESS, 7])
            await until(lambda: ada.id in room.seats, what="Ada")


async def test_what_nobody_thought_of_happens_to_one_person_alone_and_passes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    told, broken = list[str](), True

    def tell(line: str) -> None:
        told.append(line)
        if broken and line == "Ada: watching":
            raise BrokenPipeError("nobody reads what is told")

    async with running(tmp_path) as gateway, scripted_janus() as server:
        await server.arrive("Ada")
        await server.arrive("Grace")
        room = room_of(gateway, server)
        room._tell = tell
        async with staying(room):
            tries = "Ada: watching: it failed here (BrokenPipeError)"
            await until(lambda: sum(line.startswith(tries) for line in told) > 2, what="tries")
            await until(lambda: "Grace" + MARK in [each.display for each in server.shown])
            assert caplog.text.count("Ada: watching failed unexpectedly") == 1
            broken, before = False, told.count("Ada: watching")
            await until(lambda: told.count("Ada: watching") > before, what="Ada's camera")
