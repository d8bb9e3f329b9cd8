"""Which calls are refused, as HTTP and in the operator's log: an encoder shows a number at most."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from gateway.access import Problem
from gateway.decoding import Crowded
from gateway.grants import NAME
from gateway.pictures import BadPicture
from gateway.sdp import BadOffer
from gateway.signalling import RETRY

logger = logging.getLogger(__name__)

TOLD: Final = (401, 403, 409, 422, 429, 503)
"""What an operator can mend, or is asked about; others are a client's own mistakes."""
MINUTE: Final = 60.0
"""Seconds in which the same is said once: who waits for a stream asks every five."""
MOST: Final = 30
"""Different lines in that time; beyond, only their number is kept, so that nobody fills a disk."""


class Refusals:
    """Says each kind once a minute, and how many it has not said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._said: set[str] = set()
        self._unsaid = 0

    def note(self, call: str, status: int, reason: str) -> None:
        """A call, of a method to a place, was refused."""
        if status not in TOLD:
            return
        now = self._clock()
        if now >= self._until:
            if self._unsaid:
                logger.info("%s more calls were refused for such reasons", self._unsaid)
            self._until, self._said, self._unsaid = now + MINUTE, set(), 0
        line = f"{call}: {status} {reason}"
        if line in self._said or len(self._said) >= MOST:
            self._unsaid += 1
            return
        self._said.add(line)
        logger.info("refused %s", line)


def call(request: web.Request) -> str:
    """Method and address as the router has it, with the stream's name: session URLs are secrets."""
    resource = request.match_info.route.resource
    place = "an unknown address" if resource is None else resource.canonical
    name = request.match_info.get("name", "")
    return f"{request.method} {place.replace('{name}', name) if NAME.fullmatch(name) else place}"


def refusal(error: Problem | BadOffer | BadPicture | Crowded) -> Problem:
    """What a call is answered that was refused in the words of some other part."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Crowded):
        detail = "Many pictures are being taken in right now; try again in a moment."
        return Problem(503, "full", detail, RETRY)
    return Problem(error.status, error.reason, error.detail)
