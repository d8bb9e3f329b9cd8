"""Participants in processes of their own, so that none waits for another's interpreter.

The parent says what happens next, and all begin it together:

    parent                      participant
      | -- call ----------------> |   a direct call, without a gateway
      | <------- ready ---------- |
      | -- measure ------------> |
      | <------- Record --------- |
      | -- visit URL -----------> |   the same through a server
      |            ...            |
      | -- leave ---------------> |
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Final

import aiohttp

from gateway.bench.errors import BenchError
from gateway.bench.guest import Guest
from gateway.bench.participant import Caller
from gateway.bench.plan import Plan
from gateway.bench.record import GRACE, Record
from gateway.bench.reel import Reel, drawn, filmed
from models.errors import MattingError
from models.uninterrupted import uninterrupted

ENTERING: Final = 240.0
"""Seconds that all may take to get ready, on a machine where they draw, encode and matte at once.
"""
MARGIN: Final = 60.0
"""Seconds beyond a measurement after which its record is given up."""
LEAVING: Final = 10.0
"""Seconds to close connections before a process is ended."""

CALL, READY, MEASURE, LEAVE = "call", "ready", "measure", "leave"

Tick = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Failed:
    """What a participant's process says instead of an answer."""

    reason: str


class Crew:
    """`count` participants; made by `crew`."""

    def __init__(self, pipes: list[Pipe], processes: list[BaseProcess]) -> None:
        self._pipes, self._processes = pipes, processes

    @property
    def pids(self) -> list[int]:
        """Their processes."""
        return [process.pid for process in self._processes if process.pid is not None]

    def call(self, tick: Tick = lambda: None) -> None:
        """Make direct calls, and return when all of them flow."""
        self._ask(CALL)
        self._answers(ENTERING, tick)

    def visit(self, url: str, tick: Tick = lambda: None) -> None:
        """Go to a gateway, and return when composites flow for all of them."""
        self._ask(url)
        self._answers(ENTERING, tick)

    def measure(self, seconds: float, tick: Tick = lambda: None) -> list[Record]:
        """What each saw; ends the call or visit."""
        self._ask((MEASURE, seconds))
        answers = self._answers(seconds + GRACE + MARGIN, tick)
        return [answer for answer in answers if isinstance(answer, Record)]

    def leave(self) -> None:
        """End all processes."""
        for pipe in self._pipes:
            try:
                pipe.send(LEAVE)
            except OSError:
                # It has ended, or died, already.
                continue
        end = time.monotonic() + LEAVING
        for process in self._processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _ask(self, message: object) -> None:
        for number, pipe in enumerate(self._pipes):
            try:
                pipe.send(message)
            except OSError:
                raise BenchError(f"participant {number + 1} has died") from None

    def _answers(self, patience: float, tick: Tick) -> list[object]:
        """One answer each; `tick` is called about ten times a second. Raises `BenchError`."""
        end = time.monotonic() + patience
        answers: dict[int, object] = {}
        while len(answers) < len(self._pipes):
            missing = {n: pipe for n, pipe in enumerate(self._pipes) if n not in answers}
            ready = wait(missing.values(), timeout=0.1)
            for number, pipe in missing.items():
                if pipe not in ready:
                    continue
                try:
                    answer = pipe.recv()
                except EOFError:
                    raise BenchError(f"participant {number + 1} has died") from None
                if isinstance(answer, Failed):
                    raise BenchError(f"participant {number + 1}: {answer.reason}")
                answers[number] = answer
            tick()
            if time.monotonic() > end:
                raise BenchError(f"participants did not answer within {patience:.0f} s")
        return [answers[number] for number in range(len(self._pipes))]


@contextmanager
def crew(plan: Plan, count: int) -> Iterator[Crew]:
    """Start `count` participants; all are gone afterwards."""
    # Never a fork: this process may have threads, of OpenCV for one.
    context = multiprocessing.get_context("spawn")
    pipes: list[Pipe] = []
    processes: list[BaseProcess] = []
    made = Crew(pipes, processes)
    try:
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=take_part, args=(plan, number, theirs), name=f"participant-{number + 1}"
            )
            # SIGTERM goes to one process, and is how a parent ends those that hang.
            with uninterrupted(frozenset({signal.SIGINT})):
                process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield made
    finally:
        made.leave()
        for pipe in pipes:
            pipe.close()


def take_part(plan: Plan, number: int, pipe: Pipe) -> None:
    """A participant's process."""
    logging.basicConfig(level=logging.ERROR)
    try:
        reel = make_reel(plan)
        asyncio.run(_take_part(plan, number, pipe, reel))
    except (BenchError, MattingError, aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        pipe.send(Failed(str(error) or type(error).__name__))
    except EOFError:
        # The parent is gone.
        pass


def make_reel(plan: Plan) -> Reel:
    """What the camera shows."""
    if plan.clip is None or plan.plate is None:
        return drawn(plan.width, plan.height)
    return filmed(plan.clip, plan.plate, plan.width, plan.height)


async def _take_part(plan: Plan, number: int, pipe: Pipe, reel: Reel) -> None:
    seed = plan.seed * 1000 + number
    while (message := await asyncio.to_thread(pipe.recv)) != LEAVE:
        here = Caller(plan, reel, seed) if message == CALL else Guest(plan, reel, seed, message)
        async with here as participant:
            pipe.send(READY)
            asked = await asyncio.to_thread(pipe.recv)
            if asked == LEAVE:
                return
            _, seconds = asked
            record = await participant.measure(seconds)
        # Only when everything is closed: the next thing measured must not hear this one end.
        pipe.send(record)
