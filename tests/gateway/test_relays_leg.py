"""One side of a relay, with connections that come and go as the test says."""

from collections.abc import Callable

import pytest
from yarl import URL

from gateway.relays.backoff import Backoff, Patience
from gateway.relays.calls import CallFailed
from gateway.relays.endpoint import Endpoint
from gateway.relays.leg import Hopeless, Leg
from gateway.relays.outbound import Outbound, Refused

PLACE = "http://127.0.0.1:1"


class Waits(Backoff):
    """Writes down what it was asked, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__(Patience())
        self.asked: list[float | str] = []

    def next(self, asked: float = 0.0) -> float:
        self.asked.append(asked)
        return 0.0

    def reset(self) -> None:
        self.asked.append("reset")


class Scripted:
    """A leg whose connections end as told; each lasts as long as told, on a clock of its own."""

    def __init__(self, *ends: tuple[float | None, Exception]) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self._ends = list(ends)
        endpoint = Endpoint(URL(f"{PLACE}/whep/secret"), None, Outbound(["127.0.0.1"]))
        self.waits = Waits()
        self.leg = Leg("pull", endpoint, self.waits, 10, self.told.append, lambda: self.now)

    async def connect(self, then: Callable[[], None]) -> None:
        self.leg.connecting()
        lasts, error = self._ends.pop(0)
        if lasts is not None:
            then()
            assert self.leg.state == "connected"
            self.now += lasts
        raise error

    async def run(self) -> str:
        with pytest.raises(Hopeless) as caught:
            await self.leg.keep(self.connect)
        assert not self._ends
        return str(caught.value)


async def test_it_tries_until_that_is_of_no_use():
    it = Scripted(
        (None, CallFailed("no answer")),
        (3, CallFailed("the connection ended")),
        (None, CallFailed("answers 403", final=True)),
    )
    assert await it.run() == "pull: answers 403"
    assert (it.leg.state, it.leg.connections) == ("ended", 1)


async def test_a_url_that_must_not_be_called_ends_it():
    assert "relay_hosts" in await Scripted((None, Refused("see relay_hosts"))).run()


async def test_it_waits_as_asked_and_begins_anew_after_a_connection_that_lasted():
    it = Scripted(
        (None, CallFailed("answers 503", wait=7)),
        (9, CallFailed("ended")),
        (11, CallFailed("ended")),
        (None, Refused("over")),
    )
    await it.run()
    assert it.waits.asked == [7, 0, "reset", 0]


async def test_the_same_trouble_is_told_once():
    busy = (None, CallFailed("answers 503"))
    it = Scripted(busy, busy, busy, (1, CallFailed("ended")), busy, (None, Refused("over")))
    await it.run()
    lines = [line.partition(";")[0] for line in it.told]
    assert lines == [
        f"pull: connecting with {PLACE}",
        "pull: answers 503",
        f"pull: connected with {PLACE}",
        "pull: ended",
        "pull: answers 503",
    ]


async def test_people_are_told_the_server_and_not_the_path():
    it = Scripted((None, Refused("over")))
    await it.run()
    assert "secret" not in str([it.told, it.leg.describe()])
    assert it.leg.describe()["server"] == PLACE
