"""What a case is, and what became of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import aiohttp

Check = Callable[..., Awaitable[None]]

LONGEST: Final = 40.0
"""Seconds that a case may take; the longest one waits for media twice."""


BOTH: Final = ("whip", "whep")
WHIP: Final = ("whip",)
WHEP: Final = ("whep",)


class Level(StrEnum):
    """How much a standard wants it (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY


class Verdict(StrEnum):
    """What became of a case."""

    PASS = "PASS"
    FAIL = "FAIL"
    NOT_SUPPORTED = "NOT SUPPORTED"


class Failed(Exception):
    """The server does something else than the standard says."""


class NotSupported(Exception):
    """The server does without something optional, or the case needs what it was not told."""


def expect(condition: object, otherwise: str) -> None:
    """Raises `Failed` unless `condition` holds."""
    if not condition:
        raise Failed(otherwise)


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of a standard."""

    name: str
    """A sentence."""
    kinds: tuple[str, ...]
    """`whip`, `whep` or both."""
    level: Level
    section: str
    """Where it is written."""
    check: Check
    """Takes an `Endpoint`; raises `Failed` or `NotSupported`."""
    arguments: tuple[Any, ...] = ()


class Cases(list[Case]):
    """Cases in the order in which they are entered."""

    def enter(
        self, kinds: tuple[str, ...], level: Level, section: str, name: str, *arguments: Any
    ) -> Callable[[Check], Check]:
        """A function as a case, or as several with different `arguments`.

        A section that names no document is one of RFC 9725, which WHEP repeats.
        """
        document = "RFC 9725 " if section[0].isdigit() else ""

        def keep(check: Check) -> Check:
            self.append(Case(name, kinds, level, document + section, check, arguments))
            return check

        return keep


@dataclass(frozen=True, slots=True)
class Result:
    """One case at one endpoint."""

    kind: str
    case: Case
    verdict: Verdict
    detail: str = ""

    @property
    def breaks_a_must(self) -> bool:
        """Whether this is what a server must not do."""
        return self.verdict is Verdict.FAIL and self.case.level is Level.MUST

    def line(self) -> str:
        """For people; with the reason where it did not pass."""
        case = self.case
        text = f"{self.verdict:<13}  {self.kind}  {case.level:<6}  {case.section:<16}  {case.name}"
        return f"{text}: {self.detail}" if self.detail else text


async def judge(case: Case, endpoint: Any) -> Result:
    """Try one case at one endpoint."""
    kind = endpoint.kind
    try:
        async with asyncio.timeout(LONGEST):
            await case.check(endpoint, *case.arguments)
    except NotSupported as reason:
        return Result(kind, case, Verdict.NOT_SUPPORTED, str(reason))
    except Failed as reason:
        return Result(kind, case, Verdict.FAIL, str(reason))
    except TimeoutError:
        return Result(kind, case, Verdict.FAIL, f"it took longer than {LONGEST:.0f} s")
    except aiohttp.ClientError as error:
        return Result(kind, case, Verdict.FAIL, f"{type(error).__name__}: {error}")
    return Result(kind, case, Verdict.PASS)


def summary(results: Sequence[Result]) -> str:
    """The sums, for people."""
    counts = [f"{sum(r.verdict is v for r in results)} {v.lower()}" for v in Verdict]
    broken = sum(result.breaks_a_must for result in results)
    return f"{len(results)} cases: {', '.join(counts)}; {broken} of the failures break a MUST"
