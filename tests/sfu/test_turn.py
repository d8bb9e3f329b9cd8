"""coturn: somebody whose network lets nothing through but a relay."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection

from tests.browser.server import Server
from tests.sfu.film import FilmCamera
from tests.sfu.probe import publishing, watching
from tests.sfu.stream import TOKEN, stands_before_the_hills, stream
from tests.sfu.turn import PASSWORD, URL, USER, turn

pytestmark = pytest.mark.sfu

RELAY_ONLY = RTCConfiguration(
    iceServers=[RTCIceServer(URL, username=USER, credential=PASSWORD)],
    iceTransportPolicy=RTCIceTransportPolicy.RELAY,
)


@pytest.fixture
def gateway_with_turn(tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "gateway.log"
    given = ("--ice-servers", URL, "--ice-username", USER, "--ice-credential", PASSWORD)
    with Server(log, "--tokens", TOKEN, *given) as running:
        yield running.url


def candidates(peer: RTCPeerConnection) -> set[str]:
    """The kinds of address that this side offered."""
    return set(re.findall(r"a=candidate:.* typ (\w+)", peer.localDescription.sdp))


async def test_who_has_nothing_but_a_relay_publishes_and_watches(
    tmp_path: Path, gateway_with_turn: str
):
    camera = FilmCamera()
    async with turn(tmp_path) as server, stream(gateway_with_turn, "far") as far:
        async with publishing(far.whip, camera, token=TOKEN, configuration=RELAY_ONLY) as publisher:
            assert candidates(publisher) == {"relay"}
            async with watching(
                far.whep, name="turn", token=TOKEN, configuration=RELAY_ONLY
            ) as eye:
                await stands_before_the_hills(far, eye, camera)
        assert "ALLOCATE processed, success" in server.log()
