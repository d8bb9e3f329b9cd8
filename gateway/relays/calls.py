"""HTTP to a WHIP or WHEP server, under the rules of `gateway.relays.outbound`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from gateway.relays.outbound import Outbound, Pinned, Refused, Unreachable

SDP: Final = "application/sdp"
TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0)
"""Seconds for one answer."""
LONGEST: Final = 64 * 1024
"""Bytes of an answer; descriptions are about 6 KiB."""
REDIRECTS: Final = 3
FOLLOWED: Final = (307, 308)
"""RFC 9725 (4.5) allows 307 alone; 308 keeps method and body as well, and is what proxies answer
that move a whole host to https."""
FINAL: Final = frozenset({301, 302, 303, 400, 401, 403, 405, 406, 410, 413, 415, 422})
"""Answers that do not become others by themselves. 404 does: MediaMTX and others answer it while
nobody publishes."""
LONGEST_WAIT: Final = 300.0
"""Seconds of Retry-After that are believed."""


class CallFailed(Exception):
    """The other server's fault, or that of the way to it; the message names the server."""

    def __init__(self, message: str, *, final: bool = False, wait: float = 0.0) -> None:
        super().__init__(message)
        self.final = final
        """Whether another try is of no use until somebody has changed something."""
        self.wait = wait
        """Seconds that it asked to be left alone."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    url: URL
    """What answered in the end, after redirects."""
    headers: CIMultiDictProxy[str]
    text: str

    def refusal(self, place: str) -> CallFailed:
        """What to raise for an answer that is none of those hoped for."""
        explained = _explanation(self)
        if self.status == 401:
            explained = explained or "it wants another token"
        elif self.status in (301, 302, 303):
            explained = "RFC 9725 forbids this kind of redirect; use the address it leads to"
        message = f"{place} answers {self.status}"
        return CallFailed(
            f"{message}: {explained}" if explained else message,
            final=self.status in FINAL,
            wait=retry_after(self.headers.get("Retry-After")),
        )


class Calls:
    """An async context manager; inside it every host stays at the address where it was found.

    The token goes with calls to the place it was given for, and nowhere else.
    """

    def __init__(self, outbound: Outbound, home: URL, token: str | None) -> None:
        self.outbound = outbound
        self._home = home
        self._token = token
        self._pinned = Pinned()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Calls:
        connector = aiohttp.TCPConnector(resolver=self._pinned, use_dns_cache=False)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=TIMEOUT,
            # Nobody here needs compression, and what is packed small may be large.
            auto_decompress=False,
            headers={"User-Agent": "Cleanplate", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def request(
        self, method: str, url: URL, body: str | None = None, *, etag: str | None = None
    ) -> Reply:
        """Send a description, or nothing, and follow redirects.

        Raises `CallFailed` when no answer comes, and `Refused` for where it must not go.
        """
        for _ in range(REDIRECTS + 1):
            reply = await self._once(method, url, body, etag)
            if reply.status not in FOLLOWED:
                return reply
            following = joined(reply.url, reply.headers.get("Location", ""))
            if following.scheme == "http" and url.scheme == "https":
                raise Refused(f"{place_of(url)} redirects from https to http.")
            url = following
        raise CallFailed(f"{place_of(self._home)} redirects more than {REDIRECTS} times")

    async def _once(self, method: str, url: URL, body: str | None, etag: str | None) -> Reply:
        place = place_of(url)
        try:
            if not self._pinned.knows(url):
                self._pinned.pin(await self.outbound.resolve(url))
            url = self.outbound.permitted(url)
            async with self._session.request(
                method,
                url,
                data=body,
                headers=self._headers(url, body, etag),
                allow_redirects=False,
            ) as response:
                text = await _read(response, place)
                return Reply(response.status, url, response.headers, text)
        except Unreachable as error:
            raise CallFailed(str(error)) from error
        except TimeoutError as error:
            raise CallFailed(f"{place} does not answer within {TIMEOUT.total:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise CallFailed(f"the certificate of {place} cannot be trusted") from error
        except aiohttp.ClientConnectorSSLError as error:
            raise CallFailed(f"TLS with {place} fails: {error.os_error.args[-1]}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp repeats the address, which is in `place` already.
            number = getattr(error, "errno", None)
            why = os.strerror(number) if number else str(error) or type(error).__name__
            raise CallFailed(f"{place} cannot be reached: {why}") from error

    def _headers(self, url: URL, body: str | None, etag: str | None) -> dict[str, str]:
        headers = {}
        if body is not None:
            headers["Content-Type"] = SDP
        if etag is not None:
            headers["If-Match"] = etag
        if self._token is not None and is_same_place(url, self._home):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


def place_of(url: URL) -> str:
    """A URL for people and logs: path and query are often secrets."""
    return str(url.origin())


def joined(base: URL, location: str) -> URL:
    """A `Location`, which may be relative; raises `CallFailed`."""
    try:
        if not location:
            raise ValueError
        url = base.join(URL(location))
        # Raises for what names no server, as `mailto:` and `data:` do.
        url.origin()
        return url
    except ValueError:
        raise CallFailed(f"{place_of(base)} names no usable Location") from None


def is_same_place(url: URL, home: URL) -> bool:
    """Whether the token for `home` may go there: the same server, or the same one over TLS."""
    if url.host != home.host:
        return False
    upgraded = (home.scheme, home.port, url.scheme, url.port) == ("http", 80, "https", 443)
    return upgraded or (url.scheme, url.port) == (home.scheme, home.port)


def retry_after(value: str | None, now: datetime | None = None) -> float:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3); 0 for what is none."""
    if value is None:
        return 0.0
    if value.strip().isascii() and value.strip().isdigit():
        seconds = float(value[:9])
    else:
        try:
            due = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            # The latter for a year or an offset that fits into no integer of C's.
            return 0.0
        if due.tzinfo is None:
            due = due.replace(tzinfo=UTC)
        seconds = (due - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


async def _read(response: aiohttp.ClientResponse, place: str) -> str:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LONGEST:
            raise CallFailed(f"{place} answers with more than {LONGEST} bytes")
    return body.decode("utf-8", "replace")


def _explanation(reply: Reply) -> str:
    """What the other server says of its refusal, if it says it in a sentence (RFC 9457)."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    text = ""
    if kind in ("application/problem+json", "application/json"):
        try:
            found = json.loads(reply.text)
        except (ValueError, RecursionError):
            # Brackets that nest too deeply raise the latter.
            return ""
        if isinstance(found, dict):
            said = (found.get(key) for key in ("detail", "error"))
            text = next((each for each in said if isinstance(each, str) and each), "")
    elif kind == "text/plain":
        text = reply.text
    line = " ".join(text.split())
    return "".join(each for each in line if each.isprintable())[:200]
