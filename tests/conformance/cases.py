"""All cases, and how they are tried at a server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from tests.conformance import changes, descriptions, media, resources
from tests.conformance.case import Case, Result, judge
from tests.conformance.endpoint import Endpoint
from tests.conformance.player import playing

CASES: tuple[Case, ...] = (
    *resources.CASES,
    *descriptions.CASES,
    *changes.CASES,
    *media.CASES,
)


@contextlib.asynccontextmanager
async def live(whip: Endpoint | None, whep: Endpoint | None) -> AsyncIterator[Endpoint | None]:
    """The WHEP endpoint while a test picture is published, if both are given.

    Given WHEP alone, its stream is taken to be live already.
    """
    if whip is None or whep is None:
        yield whep
        return
    name = next(whip.names)
    async with playing(whip.named(name)):
        yield whep.named(name)


async def run(
    whip: Endpoint | None,
    whep: Endpoint | None,
    *,
    chosen: str = "",
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Try all cases whose names hold `chosen`; `tell` hears of each at once."""
    results: list[Result] = []

    async def attempt(endpoint: Endpoint | None) -> None:
        for case in CASES:
            if endpoint is not None and endpoint.kind in case.kinds and chosen in case.name:
                results.append(await judge(case, endpoint))
                tell(results[-1])

    await attempt(whip)
    async with live(whip, whep) as watched:
        await attempt(watched)
    return results
