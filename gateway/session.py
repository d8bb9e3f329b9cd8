"""Sessions in the sense of RFC 9725: the resource behind `Location` and its one connection."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final

from aiortc import MediaStreamTrack

from gateway import __version__, events
from gateway.answers import Bitrate, finish_answer
from gateway.matting import Engine
from gateway.peer import NotConnected, Peer
from gateway.sdp import BadOffer, Fragment, Offer
from gateway.settings import Settings
from gateway.silence import Silence
from gateway.stream import Stream

logger = logging.getLogger(__name__)

FAREWELL: Final = 0.05
"""Seconds for the last event to leave before the connection is torn down."""


class SessionOver(Exception):
    """Ends a session's tasks; the reason is for people."""


class Session:
    """One connection, from its answer until either side ends it.

    Used as: `open`, then `run` in a task of its own, which ends by itself or after `end`. `close`
    is for sessions that never ran.
    """

    receives = True
    """Whether media come from the other side."""
    role = "client"
    """Who is there, for the log."""

    def __init__(self, stream: Stream, peer: Peer, offer: Offer, settings: Settings) -> None:
        self.id = secrets.token_urlsafe(16)
        self.etag = f'"{secrets.token_hex(8)}"'
        self.stream = stream
        self.finished = asyncio.Event()
        """Set when everything the session held is free again."""
        self.answer = ""
        self._peer = peer
        self._offer = offer
        self._settings = settings
        self._tracks: dict[str, MediaStreamTrack] = {}
        self._over = asyncio.Event()
        self._reason = "the connection was closed"
        self._candidates = 0

    async def open(self) -> None:
        """Answer the offer; raises `BadOffer`, with everything closed again."""
        try:
            answer = await self._peer.answer(self._offer, self._outgoing(), receive=self.receives)
        except BaseException:
            await self.close()
            raise
        self.answer = finish_answer(
            answer,
            self._offer,
            bitrate=self._uplink(),
            public_address=self._settings.public_address,
        )

    async def run(self) -> None:
        """Live until the peer goes, a deadline passes or `end` is called."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_ended())
                tasks.create_task(self._live(tasks))
        except* SessionOver as over:
            self._reason = str(over.exceptions[0])
        finally:
            name, role = self.stream.name, self.role
            logger.info("stream %s: the %s's session ended: %s", name, role, self._reason)
            await self._say_goodbye()
            await self.close()

    def end(self, reason: str) -> None:
        """Ask `run` to finish; `finished` tells when it has."""
        if not self._over.is_set():
            self._reason = reason
            self._over.set()

    async def close(self) -> None:
        """Free everything; may be called more than once."""
        for track in self._tracks.values():
            track.stop()
        await self._peer.close()
        self.finished.set()

    async def trickle(self, fragment: Fragment) -> None:
        """Take candidates that arrived after the offer; raises `BadOffer`."""
        if fragment.ufrag not in (None, self._offer.fragment_name):
            raise BadOffer("no-restart", "ICE restarts are not supported; open a new session.", 422)
        self._candidates += fragment.seen
        if self._candidates > self._settings.max_candidates:
            raise BadOffer(
                "too-many-candidates",
                f"More than {self._settings.max_candidates} candidates were trickled.",
            )
        await self._peer.add_candidates(fragment)

    def _outgoing(self) -> dict[str, MediaStreamTrack]:
        if not self._tracks:
            self._tracks = {
                "video": self.stream.renditions.viewer(),
                "audio": self.stream.audio.subscribe(self._peer.lag),
            }
        return self._tracks

    def _uplink(self) -> Bitrate | None:
        return None

    async def _until_ended(self) -> None:
        longest = self._settings.max_session_seconds
        try:
            async with asyncio.timeout(longest or None):
                await self._over.wait()
        except TimeoutError:
            raise SessionOver(f"it lasted {longest:g} s, as long as a session may") from None
        raise SessionOver(self._reason)

    async def _live(self, tasks: asyncio.TaskGroup) -> None:
        deadline = self._settings.connect_deadline
        try:
            async with asyncio.timeout(deadline):
                await self._peer.connected()
        except TimeoutError:
            raise SessionOver(f"it did not connect within {deadline:g} s") from None
        except NotConnected as error:
            raise SessionOver(str(error)) from None
        self._work(tasks)
        raise SessionOver(await self._peer.ended())

    def _work(self, tasks: asyncio.TaskGroup) -> None:
        """Start what runs while the connection stands."""

    async def _say_goodbye(self) -> None:
        """Send last words."""


class Watch(Session):
    """Somebody watches a stream's composite (WHEP), and sends nothing even where they offer to.

    With a data channel in the offer they hear whether somebody publishes: while a stream lingers,
    its watchers stay connected and see the backdrop.
    """

    receives = False
    role = "watcher"

    def _work(self, tasks: asyncio.TaskGroup) -> None:
        logger.info("stream %s: a watcher has joined", self.stream.name)
        if self._offer.has_data_channel:
            tasks.create_task(self._tell_presence())

    async def _tell_presence(self) -> None:
        await self._peer.channel_opened.wait()
        self._peer.send(events.Live(live=self.stream.live))
        self.stream.audience.add(self._peer.send)
        try:
            await self._over.wait()
        finally:
            self.stream.audience.discard(self._peer.send)


class Publication(Session):
    """Somebody publishes a source into a stream (WHIP).

    With a data channel in the offer, which is our page's sign, the composite returns on the same
    connection; without, the answer is `recvonly` as RFC 9725 demands.
    """

    role = "publisher"

    def __init__(
        self, stream: Stream, peer: Peer, offer: Offer, settings: Settings, engine: Engine
    ) -> None:
        super().__init__(stream, peer, offer, settings)
        self._engine = engine
        self._silence: Silence | None = None

    @property
    def silence(self) -> float:
        """Seconds without video since it connected."""
        return 0.0 if self._silence is None else self._silence.seconds

    def _outgoing(self) -> dict[str, MediaStreamTrack]:
        return super()._outgoing() if self._offer.has_data_channel else {}

    def _uplink(self) -> Bitrate | None:
        start, maximum = self._settings.uplink_start, self._settings.uplink_max
        return Bitrate(start=start, minimum=min(1000, start), maximum=maximum)

    def _work(self, tasks: asyncio.TaskGroup) -> None:
        logger.info("stream %s is live", self.stream.name)
        tasks.create_task(self._transform())
        tasks.create_task(self._watch_idleness())
        tasks.create_task(self.stream.find_plate())
        if self._peer.audio is not None:
            tasks.create_task(self.stream.audio.run(self._peer.audio))
        if self._offer.has_data_channel:
            tasks.create_task(self._report())

    async def _transform(self) -> None:
        assert self._peer.video is not None
        await self.stream.transformer.run(self._peer.video)
        raise SessionOver("the video ended")

    async def _watch_idleness(self) -> None:
        deadline = self._settings.idle_deadline
        # From here on: until now it had the time that connecting may take.
        self._silence = Silence(self.stream)
        await self._silence.lasts(deadline)
        raise SessionOver(f"no video came for {deadline:g} s")

    async def _report(self) -> None:
        await self._peer.channel_opened.wait()
        description = self._engine.describe()
        self._peer.send(
            events.Welcome(
                stream=self.stream.name,
                version=__version__,
                device=description.device,
                device_name=description.device_name,
                backend=description.backend,
                weights=description.weights,
            )
        )
        self._peer.send(self.stream.plate.event())
        self._peer.send(events.BackdropChanged(backdrop=self.stream.choice))
        self.stream.listeners.add(self._peer.send)
        try:
            while True:
                await asyncio.sleep(1.0)
                self._peer.send(self.stream.stats_event())
        finally:
            self.stream.listeners.discard(self._peer.send)

    async def _say_goodbye(self) -> None:
        # Not in `_transform`: video and connection end together, and the second of them would
        # cancel it there.
        await self.stream.transformer.show_backdrop()
        if self._peer.channel_opened.is_set():
            self._peer.send(events.Ended(reason=self._reason))
            await asyncio.sleep(FAREWELL)
