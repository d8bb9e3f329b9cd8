"""`cleanplate relay` as an operator runs it."""

import argparse
import asyncio
import contextlib
import logging
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from yarl import URL

from gateway.attendance import untold
from gateway.attended_relay import warn
from gateway.matting import ScriptedEngine
from gateway.pictures import encode_png
from gateway.relay_command import add_arguments, read_order, relay
from gateway.relays.relay import Plan
from tests.gateway.grey_camera import BLACK, PERSON, ROOM
from tests.gateway.loopback import until
from tests.gateway.scripted_sfu import ScriptedSfu, sfu

ROOT = Path(__file__).parents[2]


class Run:
    """The command, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self.errors = ""

    async def listen(self) -> None:
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            self.said += line.decode()

    async def says(self, text: str) -> None:
        await until(
            lambda: text in self.said or self.process.returncode is not None, 30, f"{text!r}"
        )
        assert text in self.said, self.said

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await self.status()

    async def status(self) -> int:
        assert self.process.stderr
        self.errors = (await self.process.stderr.read()).decode()
        return await self.process.wait()


@contextlib.asynccontextmanager
async def relaying(server: ScriptedSfu, *arguments: str, **options: Any) -> AsyncIterator[Run]:
    urls = ("--from", server.url("/whep/cam"), "--to", server.url("/whip/out"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.gateway.scripted_relay", *urls, *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        **({"stdin": asyncio.subprocess.DEVNULL} | options),
    )
    run = Run(process)
    listening = asyncio.create_task(run.listen())
    try:
        yield run
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def person(server: ScriptedSfu) -> None:
    screen = server.screen
    await until(
        lambda: screen.count and abs(screen.centre - PERSON) < 20,
        what="the person at the other end",
    )
    assert abs(screen.corner - BLACK) < 12


async def test_ctrl_c_ends_it_and_both_servers_are_told():
    async with sfu() as server, relaying(server) as run:
        await run.says("push: connected")
        assert await run.end(signal.SIGINT) == 0
        assert server.sessions == {"whep": {}, "whip": {}}
        assert "Ended: it was stopped here." in run.said
        assert run.errors == ""


async def test_what_is_waited_for_and_learnt_is_said():
    async with sfu() as server, relaying(server, "--plate", "first") as run:
        await run.says("plate: waiting for 3 still seconds")
        await run.says("info: The empty scene was learned.")
        await run.says("plate: ready")


def test_a_notice_is_not_logged_besides_where_it_is_printed():
    notice = logging.makeLogRecord({"msg": "stream desk: No empty scene", "told": True})
    assert not untold(notice)
    assert untold(logging.makeLogRecord({"msg": "matting fails"}))


async def test_enter_at_the_terminal_captures_the_plate():
    ours, theirs = pty.openpty()
    try:
        async with sfu() as server, relaying(server, "--backdrop", "#000000", stdin=theirs) as run:
            await run.says("Press Enter")
            await run.says("push: connected")
            os.write(ours, b"\n")
            await run.says("plate: ready")
            server.person = True
            await person(server)
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_picture_file_of_the_empty_scene_is_the_plate(tmp_path: Path):
    plate, backdrop = tmp_path / "plate.png", tmp_path / "backdrop.png"
    plate.write_bytes(encode_png(np.full((240, 320, 3), (ROOM - 16) * 255 // 219, np.uint8)))
    backdrop.write_bytes(encode_png(np.zeros((240, 320, 3), np.uint8)))
    arguments = ("--plate", str(plate), "--backdrop", str(backdrop))
    async with sfu() as server, relaying(server, *arguments) as run:
        server.person = True
        await run.says("push: connected")
        await person(server)


async def test_with_serve_the_plate_can_be_captured_over_http():
    arguments = ("--serve", "--port", "0", "--backdrop", "#000000")
    async with sfu() as server, relaying(server, *arguments) as run:
        await run.says("push: connected")
        (line,) = [line for line in run.said.splitlines() if line.startswith("plate:   curl")]
        url, key = line.split()[-1], line.split("'")[1].split(": ")[1]
        async with aiohttp.ClientSession() as http:
            answer = await http.post(url, headers={"Cleanplate-Key": key})
            assert answer.status == 200, await answer.text()
        server.person = True
        await person(server)


async def test_a_wrong_token_is_one_line_and_status_2():
    async with sfu() as server:
        server.refusals["whep"].append(web.Response(status=401))
        async with relaying(server, env=os.environ | {"CLEANPLATE_FROM_TOKEN": "sekret"}) as run:
            assert await run.status() == 2
            assert "answers 401: it wants another token" in run.errors
            assert run.errors.count("\n") == 1
            assert server.asked[-1].token == "Bearer sekret"
            assert "sekret" not in run.said + run.errors


GOOD = {"--from": "http://127.0.0.1:1/a", "--to": "http://127.0.0.1:1/b"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"--from": "ftp://127.0.0.1/a"}, "--from: A URL begins"),
        ({"--to": "http://me:sekret@127.0.0.1/b"}, "--to: A URL must not hold"),
        ({"--to": "http://2130706433/b"}, "--to: The host"),
        ({"--name": "no name"}, "--name"),
        ({"--plate": "nowhere.png"}, "--plate: plate takes"),
        ({"--plate": "kept:unknown"}, "no plate unknown is kept"),
        ({"--plate": __file__}, "not a JPEG"),
        ({"--backdrop": "nowhere"}, "neither a picture nor a file nowhere"),
        ({"--backdrop": __file__}, "not a JPEG"),
        ({"--max-relays": "0"}, "as many relays"),
        ({"--default-backdrop": "nowhere"}, "default_backdrop"),
    ],
)
def test_what_the_operator_can_mend_is_one_line_and_status_2(
    changes: dict[str, str], complaint: str, capsys: pytest.CaptureFixture[str]
):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [word for pair in {**GOOD, **changes}.items() for word in pair]
    assert relay(parser.parse_args(words), lambda _: ScriptedEngine()) == 2
    errors = capsys.readouterr().err
    assert complaint in errors
    assert errors.count("\n") == 1
    assert "sekret" not in errors


def test_tokens_of_the_command_line_come_before_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("CLEANPLATE_FROM_TOKEN", "from-environment")
    monkeypatch.setenv("CLEANPLATE_TO_TOKEN", "to-environment")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [word for pair in GOOD.items() for word in pair]
    plan = read_order(parser.parse_args([*words, "--to-token", "to-line"])).plan
    assert (plan.pull_token, plan.push_token) == ("from-environment", "to-line")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://sfu.example.org/a", True),
        ("https://sfu.example.org/a", False),
        ("http://127.0.0.1/a", False),
    ],
)
def test_a_token_that_can_be_read_on_its_way_is_warned_of(
    url: str, warned: bool, capsys: pytest.CaptureFixture[str]
):
    warn(Plan(pull_url=URL(url), push_url=URL(url), name="desk", push_token="sekret"))
    said = capsys.readouterr().out
    assert ("http://sfu.example.org travels unencrypted" in said) is warned
    assert "sekret" not in said
