"""Who calls, where proxies stand in front of the server."""

from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.proxies import Proxies
from tests.gateway.loopback import running

TRUSTED = ("10.0.0.0/8", "fd00::/8")


class Peer:
    """As much of a transport as says who is at its other end."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.address, 50000) if name == "peername" else default


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        # Who is no proxy says nothing of others.
        ("198.51.100.1", ["192.0.2.7"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        # What stands before the client's own address it may have invented.
        ("10.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.9.9.9, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.9", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        # A client of the proxies' own network.
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.7:41000"], "192.0.2.7"),
        ("10.0.0.1", ["[2001:db8::7]:41000"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("fd00::1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxys(
    peer: str, forwarded: list[str], client: str
):
    request = make_mocked_request(
        "POST",
        "/whip",
        headers=[("X-Forwarded-For", line) for line in forwarded],  # type: ignore[arg-type]
        transport=Peer(peer),
    )
    assert Proxies(TRUSTED).client(request) == client


def test_without_trusted_proxies_nobody_is_believed():
    headers = {"X-Forwarded-For": "192.0.2.7"}
    request = make_mocked_request("POST", "/whip", headers=headers, transport=Peer("10.0.0.1"))
    assert Proxies().client(request) == "10.0.0.1"


async def test_who_calls_too_often_through_a_proxy_stops_nobody_else(tmp_path: Path):
    async with running(tmp_path, trusted_proxies="127.0.0.0/8", client_calls=0.001) as gateway:
        statuses = [
            (await gateway.http.post("/backdrops", headers={"X-Forwarded-For": address})).status
            for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8")
        ]
        assert statuses == [415, 429, 415]


async def test_each_client_of_a_proxy_has_sessions_of_its_own(tmp_path: Path):
    async with running(tmp_path, trusted_proxies=("127.0.0.1",), max_client_sessions=1) as gateway:
        page, watcher = gateway.client(), gateway.client()
        offer = await page.offer_publishing()
        await page.accept(await page.send("/whip/desk", offer, **{"X-Forwarded-For": "192.0.2.7"}))
        await page.video(1)
        offer = await watcher.offer_watching()
        for address, status in (("192.0.2.7", 503), ("192.0.2.8", 201)):
            answer = await watcher.send("/whep/desk", offer, **{"X-Forwarded-For": address})
            assert answer.status == status
