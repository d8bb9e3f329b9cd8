"""A VideoRoom of Janus's, and everybody in it who is to stand before another backdrop."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.owned_tasks import apart
from gateway.relays.backoff import Backoff, Patience
from gateway.relays.leg import Hopeless, Tell
from gateway.rooms.janus_messages import Mistakes, Publisher
from gateway.rooms.janus_seat import MARK, JanusSeat, RoomPlan
from gateway.rooms.janus_session import Handle, Janus, JanusLost, JanusRefused
from gateway.rooms.seat import Keys, NoPlace, stream_name
from gateway.worker import Worker

OURSELVES: Final = "Cleanplate"
"""The name of the participant who only looks who is there."""
WITHOUT_HOPE: Final = {
    403: "Janus wants another API secret or token",
    405: "Janus wants a token",
    425: "somebody of this id is in the room already",
    426: "there is no such room; create it first",
    433: "the room's PIN, or its token, is another one",
    460: "this Janus has no VideoRoom plugin",
}
"""Of Janus and of its VideoRoom: what stays so until somebody changes it."""


class JanusRoom:
    """Used as: `run`, until it is hopeless or cancelled."""

    def __init__(
        self,
        plan: RoomPlan,
        worker: Worker,
        *,
        deadline: float,
        patience: Patience,
        tell: Tell,
    ) -> None:
        self.seats: dict[int | str, JanusSeat] = {}
        """By the publisher's id: those who are in the room, as far as is known."""
        self._plan = plan
        self._worker = worker
        self._deadline = deadline
        self._patience = patience
        self._tell = tell
        self._keys = Keys(worker)
        self._sitting: dict[int | str, asyncio.Task[None]] = {}
        self._given_up: set[int | str] = set()
        """Whose streams went to somebody else: they are not taken back from those."""
        self._private: int | None = None
        self._mistakes = Mistakes()

    async def run(self) -> None:
        """Stay in the room; raises `Hopeless`."""
        backoff = Backoff(self._patience)
        clock = asyncio.get_running_loop().time
        place = f"{self._plan.url.host}:{self._plan.url.port}"
        try:
            while True:
                began = clock()
                try:
                    async with Janus(
                        self._plan.url,
                        token=self._plan.token,
                        secret=self._plan.secret,
                        mistakes=self._mistakes,
                    ) as janus:
                        await apart(self._visit(janus))
                    raise AssertionError("a visit ends by an exception")
                except JanusRefused as error:
                    advice = WITHOUT_HOPE.get(error.code or 0)
                    if advice is not None:
                        raise Hopeless(f"{place}: {advice}: {error}") from error
                    reason = str(error)
                except JanusLost as error:
                    reason = str(error)
                if clock() - began >= self._patience.settled:
                    backoff.reset()
                wait = backoff.next()
                self._tell(f"{place}: {reason}; again in {wait:.0f} s")
                await asyncio.sleep(wait)
        finally:
            for seat in list(self.seats.values()):
                await seat.close()
            self.seats.clear()

    async def _visit(self, janus: Janus) -> None:
        """Join, and follow who comes and goes; raises `JanusLost` or `JanusRefused`."""
        control = await janus.attach(listening=True)
        # Without the role of a publisher Janus tells nothing of others.
        joined = await control.ask({**self._plan.entry, "ptype": "publisher", "display": OURSELVES})
        self._private = joined.data.private_id
        here = joined.data.cameras
        self._tell(f"in room {self._plan.room}, where {len(here)} publish")
        present = {each.id for each in here}
        self._given_up &= present
        for absent in set(self.seats) - present:
            await self._leave(absent)
        failure: JanusLost | JanusRefused | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(janus.lost())
                tasks.create_task(self._follow(janus, control, here, tasks))
        except* (JanusLost, JanusRefused) as ended:
            first = ended.exceptions[0]
            assert isinstance(first, JanusLost | JanusRefused)
            failure = first
        finally:
            self._sitting.clear()
        assert failure is not None
        raise failure.with_traceback(None)

    async def _follow(
        self, janus: Janus, control: Handle, here: list[Publisher], tasks: asyncio.TaskGroup
    ) -> None:
        for each in here:
            await self._arrive(each, janus, tasks)
        while True:
            said = (await control.event()).data
            for each in said.cameras:
                await self._arrive(each, janus, tasks)
            for absent in (said.unpublished, said.leaving, said.kicked):
                if absent is not None and absent in self.seats:
                    await self._leave(absent)
            for absent in (said.leaving, said.kicked):
                if absent is not None:
                    self._given_up.discard(absent)

    async def _arrive(self, who: Publisher, janus: Janus, tasks: asyncio.TaskGroup) -> None:
        if who.id in self._sitting or who.id in self._given_up or not self._is_wanted(who):
            return
        seat = self.seats.get(who.id)
        if seat is None:
            seat = await self._seated(who)
        if seat is not None:
            self._sitting[who.id] = tasks.create_task(seat.live(janus, self._private))

    async def _seated(self, who: Publisher) -> JanusSeat | None:
        """A seat with its stream; `None`, with a word to people, where there is no place."""
        seat = JanusSeat(
            who,
            self._plan,
            self._worker,
            deadline=self._deadline,
            patience=self._patience,
            tell=self._tell,
        )
        name = stream_name("janus", f"{self._plan.room}-{who.id}")
        try:
            await seat.open(
                name, self._keys.of(name), self._plan.scenery, lambda: self._forget(who.id)
            )
        except NoPlace as error:
            self._tell(f"{who.title}: {error}")
            return None
        self.seats[who.id] = seat
        return seat

    def _forget(self, name: int | str) -> None:
        """Their stream is somebody else's to feed, as long as they are in the room."""
        self._given_up.add(name)
        self.seats.pop(name, None)
        self._sitting.pop(name, None)

    async def _leave(self, name: int | str) -> None:
        task = self._sitting.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        # It may have been given up meanwhile.
        if (seat := self.seats.pop(name, None)) is not None:
            await seat.close()
            self._tell(f"{seat.who.title}: gone")

    def _is_wanted(self, who: Publisher) -> bool:
        """Whether to matte somebody: never a composite, ours or another gateway's."""
        ours = any(who.id in seat.shown_as for seat in self.seats.values())
        if ours or who.title.endswith(MARK):
            return False
        wanted = self._plan.wanted
        return not wanted or str(who.id) in wanted or who.title in wanted
