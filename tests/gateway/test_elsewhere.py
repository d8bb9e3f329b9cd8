"""Streams that another server holds."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gateway.app import create_app
from gateway.elsewhere import Elsewhere
from gateway.matting import ScriptedEngine
from gateway.settings import Settings
from gateway.worker import Worker
from tests.conformance.offers import Description
from tests.gateway.loopback import running

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SDP = {"Content-Type": "application/sdp"}


class AnotherHolds:
    """A `Placement` that holds nothing here."""

    def __init__(self, url: str) -> None:
        self._url = url

    def place(self, name: str) -> Worker:
        raise Elsewhere(self._url)

    def holding(self, name: str) -> Worker:
        raise Elsewhere(self._url)


@contextlib.asynccontextmanager
async def pointing_to(url: str, folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    engine = ScriptedEngine()
    settings = Settings(tokens=(TOKEN,))
    app = create_app(
        settings, engine, gallery=(), page=folder, place=lambda worker: AnotherHolds(url)
    )
    server = TestServer(app)
    await server.start_server()
    try:
        async with aiohttp.ClientSession(server.make_url("/"), headers=BEARER) as http:
            yield http
    finally:
        await server.close()
        engine.close()


@pytest.mark.parametrize("path", ["/whip/desk?codec=h264", "/whep/desk", "/whep/desk?a=b&c=%26"])
async def test_who_opens_a_session_is_sent_there_with_path_and_query(tmp_path: Path, path: str):
    async with pointing_to("https://two.example.org/", tmp_path) as http:
        response = await http.post(path, data="", headers=SDP, allow_redirects=False)
        assert response.status == 307
        assert response.headers["Location"] == f"https://two.example.org{path}"


async def test_strangers_are_not_told_where(tmp_path: Path):
    async with pointing_to("https://two.example.org", tmp_path) as http:
        wrong = {**SDP, "Authorization": "Bearer wrong-horse-battery"}
        response = await http.post("/whip/desk", data="", headers=wrong, allow_redirects=False)
        assert response.status == 401


async def test_nothing_but_opening_is_redirected(tmp_path: Path):
    async with pointing_to("https://two.example.org", tmp_path) as http:
        for method in ("GET", "PATCH", "DELETE"):
            response = await http.request(method, "/whip/desk/session", allow_redirects=False)
            assert response.status == 421
            assert "two.example.org" not in await response.text()


async def test_a_publisher_who_is_sent_on_arrives(tmp_path: Path):
    async with running(tmp_path, tokens=(TOKEN,)) as gateway:
        there = str(gateway.server.make_url("/"))
        async with pointing_to(there, tmp_path) as http:
            offer = Description("sendonly").text()
            sent = await http.post("/whip/desk", data=offer, headers=SDP, allow_redirects=False)
            response = await gateway.http.post(
                sent.headers["Location"], data=offer, headers={**SDP, **BEARER}
            )
            assert response.status == 201
            assert response.headers["Location"].startswith("/whip/desk/")


async def test_a_slash_too_many_is_forgiven_where_sessions_are_opened(tmp_path: Path):
    async with running(tmp_path) as gateway:
        offer = Description("sendonly").text()
        for path in ("/whip/", "/whip/desk/?a=b"):
            sent = await gateway.http.post(path, data=offer, headers=SDP, allow_redirects=False)
            assert sent.status == 307
            assert sent.headers["Location"] == path.replace("/?", "?").rstrip("/")
            assert (await gateway.http.post(path, data=offer, headers=SDP)).status == 201
            assert (await gateway.http.options(path, allow_redirects=False)).status == 204


async def test_a_slash_too_many_leads_to_no_other_server(tmp_path: Path):
    async with running(tmp_path) as gateway:
        root = str(gateway.server.make_url("/"))
        for path in ("/elsewhere.example/", "streams/desk/", "/whip//elsewhere.example/"):
            response = await gateway.http.post(root + path, data="", allow_redirects=False)
            assert response.status == 404
