"""Relays: from somebody else's WHEP to somebody else's WHIP, over real connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web
from aioice import stun
from yarl import URL

from gateway.relays.backoff import Patience
from gateway.relays.outbound import Outbound
from gateway.relays.relay import Plan, Relay
from gateway.relays.relays import Relays
from gateway.scenery import read_scenery
from gateway.settings import Settings
from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.loopback import Gateway, running, until
from tests.gateway.scripted_sfu import ScriptedSfu, sfu

QUICK = Patience(first=0.05, longest=0.1, stalled=30, settled=0.0)
BLACKNESS = read_scenery({"backdrop": "#000000"})


class Setting:
    """A gateway with one relay between the two ends of an SFU."""

    def __init__(self, gateway: Gateway, server: ScriptedSfu, relays: Relays) -> None:
        self.gateway, self.sfu, self.relays = gateway, server, relays
        self.lines: list[str] = []
        self.relay: Relay

    async def begin(self, **changes: Any) -> Relay:
        plan = Plan(
            pull_url=URL(self.sfu.url("/whep/cam")),
            push_url=URL(self.sfu.url("/whip/out")),
            name="desk",
            scenery=BLACKNESS,
        )
        self.relay = await self.relays.begin(
            replace(plan, **changes), Outbound(["127.0.0.1"]), self.lines.append
        )
        return self.relay

    async def capture(self) -> None:
        """Capture the plate, and then the person comes."""
        stream = await self.relay.began
        await until(lambda: self.sfu.screen.count > 3, what="the backdrop at the other end")
        await stream.plate.capture()
        self.sfu.person = True

    async def person(self) -> None:
        """Wait until the other end sees the person before black."""
        screen = self.sfu.screen
        await until(lambda: abs(screen.centre - PERSON) < 20, what="the person at the other end")
        assert abs(screen.corner - BLACK) < 12


@contextlib.asynccontextmanager
async def relaying(folder: Path, patience: Patience = QUICK, **settings: Any) -> AsyncIterator[Any]:
    async with sfu() as server, running(folder, **settings) as gateway:
        relays = Relays(gateway.worker, Settings(**settings), patience)
        try:
            yield Setting(gateway, server, relays)
        finally:
            await relays.close()


async def test_the_composite_of_what_is_pulled_is_pushed_with_its_sound(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.sounds = True
        await it.begin()
        await it.capture()
        await it.person()
        await until(lambda: it.sfu.sound.count > 5, what="sound")
        assert it.relay.state == "live"


async def test_a_stream_that_lingered_is_pushed_with_its_sound(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.sounds = True
        await it.relays.remove(await heard(it))
        # The composite of before is there at once, the camera and its sound are not.
        it.sfu.refusals["whep"].extend(web.Response(status=503) for _ in range(3))
        await heard(it)


async def heard(it: Setting) -> Relay:
    """A relay whose other end hears the camera."""
    before = it.sfu.sound.count
    relay = await it.begin(key="k" * 32)
    await until(lambda: it.sfu.sound.count > before + 5, what="sound")
    return relay


async def test_before_a_plate_exists_the_other_end_sees_the_backdrop_alone(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.person = True
        await it.begin()
        await until(lambda: it.sfu.screen.count > 15, what="frames")
        assert max(float(frame[:240].max()) for frame in it.sfu.screen.frames) < 60


async def test_a_server_that_makes_a_counter_offer_is_pulled_from(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.counters = True
        await it.begin()
        await it.capture()
        await it.person()
    (patch,) = [asked for asked in it.sfu.asked if asked.method == "PATCH"]
    assert patch.kind == "application/sdp"
    assert patch.if_match == f'"{patch.path.rpartition("/")[2]}"'


async def test_at_the_end_both_servers_are_told(tmp_path: Path):
    async with relaying(tmp_path) as it:
        relay = await it.begin()
        await until(lambda: relay.state == "live")
        await it.relays.remove(relay)
        assert it.sfu.sessions == {"whep": {}, "whip": {}}
        assert it.sfu.counts("DELETE", "whep") == it.sfu.counts("DELETE", "whip") == 1
        assert it.relays.all() == []


async def test_a_lost_camera_is_found_again_with_plate_and_backdrop(tmp_path: Path):
    async with relaying(tmp_path) as it:
        await it.begin()
        await it.capture()
        await it.person()
        busy = it.sfu.refusals["whep"]
        busy.extend(web.Response(status=503) for _ in range(1000))
        await it.sfu.drop("whep")
        await until(lambda: "the other side left" in str(it.lines), what="how the camera was lost")
        # Meanwhile the other end sees the backdrop, and neither the person nor the room.
        await until(lambda: abs(it.sfu.screen.centre - BLACK) < 12, what="the backdrop")
        busy.clear()
        await it.person()
        described = it.relay.describe()
        assert described["pull"]["connections"] == 2
        assert described["push"]["connections"] == 1


async def test_a_lost_stage_is_found_again(tmp_path: Path):
    async with relaying(tmp_path) as it:
        await it.begin()
        await it.capture()
        await it.person()
        await it.sfu.drop("whip")
        seen = it.sfu.screen.count
        await until(lambda: it.sfu.screen.count > seen + 10, what="frames on a new connection")
        assert any("the other side left" in line for line in it.lines)
        await it.person()
        described = it.relay.describe()
        assert described["pull"]["connections"] == 1
        assert described["push"]["connections"] == 2


async def test_a_camera_that_falls_silent_is_called_anew(tmp_path: Path):
    async with relaying(tmp_path, replace(QUICK, stalled=1.0)) as it:
        await it.begin()
        await it.capture()
        await it.person()
        it.sfu.fall_silent()
        await until(lambda: it.sfu.counts("POST", "whep") == 2, what="another call")
        assert any("no video came" in line for line in it.lines)
        await it.person()


async def test_who_is_asked_to_wait_waits(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.refusals["whep"].append(web.Response(status=409, headers={"Retry-After": "100"}))
        relay = await it.begin()
        await until(lambda: relay.describe()["pull"]["state"] == "retrying")
        assert relay.describe()["pull"]["retry_in"] > 60
        assert "409" in relay.describe()["pull"]["trouble"]
        assert it.sfu.counts("POST", "whip") == 0


async def test_a_server_that_is_busy_or_has_nothing_yet_is_asked_again(tmp_path: Path):
    async with relaying(tmp_path) as it:
        for status in (404, 409, 429, 500, 503):
            it.sfu.refusals["whep"].append(web.Response(status=status))
        relay = await it.begin()
        await until(lambda: relay.state == "live", what="live at last")
        assert it.sfu.counts("POST", "whep") == 6


async def test_a_server_that_has_sound_alone_is_asked_again(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.shows = False
        relay = await it.begin()
        await until(lambda: it.sfu.counts("POST", "whep") > 1, what="another call")
        assert "no video" in relay.describe()["pull"]["trouble"]
        it.sfu.shows = True
        await until(lambda: relay.state == "live", what="live")
        # Each session that was of no use was given back.
        assert len(it.sfu.sessions["whep"]) == 1


async def test_a_relay_with_the_wrong_token_ends_and_says_which_side(tmp_path: Path):
    async with relaying(tmp_path) as it:
        it.sfu.refusals["whip"].append(web.Response(status=401))
        relay = await it.begin()
        await until(lambda: relay.state == "ended")
        assert relay.failed
        assert relay.reason.startswith("push:")
        assert "token" in relay.reason
        assert it.sfu.counts("POST", "whip") == 1
        # The side that was connected is told.
        assert it.sfu.counts("DELETE", "whep") == 1


async def test_each_side_gets_its_own_token_with_every_call(tmp_path: Path):
    async with relaying(tmp_path) as it:
        relay = await it.begin(pull_token="pull-secret", push_token="push-secret")
        await until(lambda: relay.state == "live")
    for protocol, token in (("whep", "Bearer pull-secret"), ("whip", "Bearer push-secret")):
        calls = [asked for asked in it.sfu.asked if asked.path.startswith(f"/{protocol}")]
        assert [asked.method for asked in calls] == ["OPTIONS", "POST", "DELETE"]
        assert {asked.token for asked in calls} == {token}
    assert not any("secret" in line for line in it.lines)
    assert "secret" not in f"{relay.plan} {relay.describe()}"


async def test_a_redirect_is_followed_and_the_token_stays_behind(tmp_path: Path):
    async with relaying(tmp_path) as it, sfu() as other:
        moved = web.Response(status=307, headers={"Location": other.url("/whep/cam")})
        it.sfu.refusals["whep"].append(moved)
        relay = await it.begin(pull_token="pull-secret")
        await until(lambda: relay.state == "live", what="live on the other server")
        assert {asked.token for asked in other.asked} == {None}
        await it.relays.remove(relay)
        # Its Location is relative to where the answer came from.
        assert [asked.method for asked in other.asked] == ["POST", "DELETE"]


async def test_a_redirect_to_a_host_that_is_not_listed_ends_the_relay(tmp_path: Path):
    async with relaying(tmp_path) as it:
        elsewhere = web.Response(status=307, headers={"Location": "http://169.254.169.254/latest"})
        it.sfu.refusals["whep"].append(elsewhere)
        relay = await it.begin()
        await until(lambda: relay.state == "ended")
        assert "169.254.169.254" in relay.reason


async def test_whoever_takes_the_stream_over_ends_the_relay(tmp_path: Path):
    async with relaying(tmp_path) as it:
        relay = await it.begin(key="k" * 32)
        await until(lambda: relay.state == "live")
        page = it.gateway.client()
        await page.publish("/whip/desk", key="k" * 32)
        await until(lambda: relay.state == "ended")
        assert "took over" in relay.reason
        assert not relay.failed
        assert it.sfu.sessions == {"whep": {}, "whip": {}}


class Stun(asyncio.DatagramProtocol):
    """Tells everybody their address."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.asked += 1
        question = stun.parse_message(data)
        answer = stun.Message(question.message_method, stun.Class.RESPONSE, question.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = address
        self.transport.sendto(bytes(answer), address)


async def test_the_stun_server_that_a_server_names_is_asked_before_the_offer(tmp_path: Path):
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Stun, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with relaying(tmp_path) as it:
        it.sfu.links.append(f'<stun:127.0.0.1:{port}>; rel="ice-server"')
        relay = await it.begin()
        await until(lambda: relay.state == "live", what="live")
        assert server.asked >= 2
    transport.close()
