"""One WHIP or WHEP URL under test, and what a client may do there."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin

import aiohttp
from multidict import CIMultiDictProxy

from tests.conformance.case import Failed, NotSupported, expect
from tests.conformance.offers import SEND, Description

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
REDIRECTIONS: Final = 5
PATIENCE: Final = 30
"""Seconds that a server may ask to wait for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has been read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str
    url: str
    """Of the request that it answers, behind any redirection."""

    @property
    def type(self) -> str:
        """The content type without parameters, in small letters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def refused(self) -> bool:
        """Whether it says that the request was wrong."""
        return 400 <= self.status < 500

    def __str__(self) -> str:
        return f"{self.status} {self.text[:80]!r}" if self.text else str(self.status)


@dataclass(frozen=True, slots=True)
class Session:
    """What a 201 (or a WHEP counter-offer, 406) opened."""

    reply: Reply
    offer: Description
    url: str

    @property
    def etag(self) -> str:
        """Raises `NotSupported` where the server uses none."""
        if (tag := self.reply.headers.get("ETag")) is None:
            raise NotSupported("the 201 carries no ETag")
        return tag

    @property
    def answer(self) -> str:
        """The server's description."""
        return self.reply.text


def made_up() -> Iterator[str]:
    """Names that nobody else has."""
    while True:
        yield f"conformance-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL with `{name}` where every session may use a name of its own."""

    kind: str
    """`whip` or `whep`."""
    template: str
    http: aiohttp.ClientSession
    token: str | None = None
    name: str | None = None
    """The stream to watch; of publishers each case makes one."""
    origin: str = "https://conformance.example"
    """The web page that calls, where one does."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers of every request."""
    names: Iterator[str] = field(default_factory=made_up)
    """For `{name}`, one per session; of a server that wants them known before."""

    def url(self, name: str | None = None) -> str:
        """Where to `POST`."""
        if "{name}" not in self.template:
            return self.template
        return self.template.replace("{name}", name or self.name or next(self.names))

    def description(self, *kinds: str, setup: str = "actpass") -> Description:
        """An offer such as clients of this kind make."""
        return Description(SEND[self.kind], *kinds, setup=setup)

    def named(self, name: str) -> Endpoint:
        """The same for one stream."""
        return replace(self, name=name)

    def session_url(self, reply: Reply) -> str:
        """Where `Location` leads."""
        expect("Location" in reply.headers, f"the {reply.status} carries no Location")
        return urljoin(reply.url, reply.headers["Location"])

    async def call(
        self,
        method: str,
        url: str,
        body: str | None = None,
        *,
        token: str | None = "",
        **headers: str,
    ) -> Reply:
        """One request, redirected where a 307 says so, and made again where a 503 says when.

        Header names are written with underscores; `token=None` leaves the token out.
        """
        token = self.token if token == "" else token
        sent = dict(self.headers)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        for _ in range(REDIRECTIONS):
            async with self.http.request(
                method,
                url,
                data=None if body is None else body.encode(),
                headers=sent,
                allow_redirects=False,
                skip_auto_headers=["Content-Type", "User-Agent"],
            ) as response:
                text = (await response.read()).decode("utf-8", "replace")
                reply = Reply(response.status, response.headers, text, url)
            if method == "POST":
                expect(reply.status not in (301, 302), f"a POST is redirected by {reply.status}")
            wait = reply.headers.get("Retry-After", "")
            if reply.status in (429, 503) and wait.isdigit() and int(wait) <= PATIENCE:
                await asyncio.sleep(int(wait))
                continue
            if reply.status not in (307, 308) or "Location" not in reply.headers:
                return reply
            url = urljoin(url, reply.headers["Location"])
        raise Failed(f"more than {REDIRECTIONS} times it says to come again, here or elsewhere")

    async def post(
        self, offer: str, type: str = SDP, *, url: str | None = None, **headers: str
    ) -> Reply:
        """`POST` an offer; whatever it opens has to be closed by `end`."""
        return await self.call(
            "POST", url or self.url(), offer, **{"Content_Type": type, **headers}
        )

    async def end(self, reply: Reply) -> None:
        """Close what a `POST` opened, if it did."""
        if reply.status in (201, 406) and "Location" in reply.headers:
            await self.call("DELETE", self.session_url(reply))

    @contextlib.asynccontextmanager
    async def opened(
        self, offer: Description | None = None, *, url: str | None = None, type: str = SDP
    ) -> AsyncIterator[Session]:
        """A session that is deleted at the end, be it one that waits for the answer to a 406.

        Raises `Failed` where none is opened.
        """
        offer = offer or self.description()
        reply = await self.post(offer.text(), type, url=url)
        try:
            counter = self.kind == "whep" and reply.status == 406 and reply.type == SDP
            expect(reply.status == 201 or counter, f"an offer is answered {reply}")
            yield Session(reply, offer, self.session_url(reply))
        finally:
            await self.end(reply)

    @contextlib.asynccontextmanager
    async def session(self, offer: Description | None = None) -> AsyncIterator[Session]:
        """As `opened`, by a 201; raises `NotSupported` where the server makes counter-offers."""
        async with self.opened(offer) as session:
            if session.reply.status == 406:
                raise NotSupported("it answers with counter-offers (406), not with 201")
            yield session

    async def refused(self, offer: str, type: str = SDP, *, what: str) -> Reply:
        """The 4xx for an offer that must be refused; raises `Failed` for anything else."""
        reply = await self.post(offer, type)
        await self.end(reply)
        expect(reply.refused, f"{what} is answered {reply.status}")
        return reply

    async def patch(
        self,
        session: Session,
        fragment: str,
        *,
        condition: str | None = None,
        type: str = FRAGMENT,
        url: str | None = None,
    ) -> Reply:
        """Trickle; raises `NotSupported` where the server knows no `PATCH`."""
        headers = {"Content_Type": type}
        if condition is not None:
            headers["If_Match"] = condition
        reply = await self.call("PATCH", url or session.url, fragment, **headers)
        if reply.status in (405, 501):
            raise NotSupported(f"PATCH is answered {reply.status}")
        return reply
