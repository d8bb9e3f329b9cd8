"""Browsers that know nothing of the gateway but two URLs: a page of the tests' own."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser import chromium
from tests.sfu.film import FilmCamera
from tests.sfu.firefox import firefox
from tests.sfu.page import page
from tests.sfu.probe import publishing, watching
from tests.sfu.stream import TOKEN, stands_before_the_hills, stream

pytestmark = pytest.mark.sfu


@contextlib.asynccontextmanager
async def chromium_at(url: str) -> AsyncIterator[None]:
    """A Chromium that opened `url`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.find(),
            args=["--autoplay-policy=no-user-gesture-required", "--disable-gpu"],
        )
        try:
            await (await browser.new_page()).goto(url)
            yield
        finally:
            await browser.close()


async def test_firefox_publishes_and_watches(tmp_path: Path, gateway: str):
    async with (
        stream(gateway, "firefox") as scene,
        page("firefox", whip=scene.whip, whep=scene.whep) as (fox, url),
        firefox(tmp_path) as window,
    ):
        await window.open(url)
        async with watching(scene.whep, name="who watches firefox", token=TOKEN) as eye:
            await stands_before_the_hills(scene, eye, fox, fox.sight)
            assert fox.codec == "video/VP8"


async def test_chromium_watches_what_a_plain_client_publishes(gateway: str):
    camera = FilmCamera()
    async with (
        stream(gateway, "chromium") as scene,
        publishing(scene.whip, camera, token=TOKEN),
        page("chromium", whep=scene.whep) as (chrome, url),
        chromium_at(url),
    ):
        await stands_before_the_hills(scene, chrome.sight, camera)
