"""`/relays` over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.loopback import running, until
from tests.gateway.scripted_sfu import sfu

TOKEN = {"Authorization": "Bearer correct-horse-battery"}
NOBODY = "http://127.0.0.1:1"
URLS = {"from": "https://sfu.example.org/whep/a", "to": "https://sfu.example.org/whip/b"}


async def test_by_default_nobody_is_called(tmp_path: Path):
    async with running(tmp_path) as gateway:
        answer = await gateway.http.post("/relays", json=URLS)
        assert answer.status == 403
        assert (await answer.json())["reason"] == "relays-off"
        assert (await (await gateway.http.get("/relays")).json()) == {"relays": []}


async def test_relays_are_the_operators(tmp_path: Path):
    tokens = ("correct-horse-battery",)
    async with running(tmp_path, tokens=tokens, relay_hosts=("127.0.0.1",)) as gateway:
        for method, path in (
            ("POST", "/relays"),
            ("GET", "/relays"),
            ("GET", "/relays/x"),
            ("DELETE", "/relays/x"),
        ):
            assert (await gateway.http.request(method, path)).status == 401, (method, path)
        assert (await gateway.http.get("/relays/x", headers=TOKEN)).status == 404


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("{", 400, "malformed-json"),
        ({}, 422, "relay"),
        ({"from": URLS["from"]}, 422, "relay"),
        ({**URLS, "name": "not a name"}, 422, "relay"),
        ({**URLS, "from_token": "sec ret"}, 422, "relay"),
        ({**URLS, "sekret": "sekret"}, 422, "relay"),
        ({**URLS, "plate": "last"}, 422, "plate"),
        ({**URLS, "backdrop": {"kind": "colour", "rgb": "sekret"}}, 422, "backdrop"),
        ({**URLS, "backdrop": "nowhere"}, 422, "unknown-backdrop"),
        ({**URLS, "to": "https://elsewhere.example.org/x"}, 403, "url"),
        ({**URLS, "to": "file:///etc/passwd"}, 403, "url"),
        ({**URLS, "from": "https://me:sekret@sfu.example.org/x"}, 403, "url"),
    ],
)
async def test_what_is_no_relay_is_refused_without_repeating_it(
    tmp_path: Path, body: Any, status: int, reason: str
):
    async with running(tmp_path, relay_hosts=("sfu.example.org",)) as gateway:
        given = {"data": body} if isinstance(body, str) else {"json": body}
        headers = {"Content-Type": "application/json"}
        answer = await gateway.http.post("/relays", headers=headers, **given)
        text = await answer.text()
        assert (answer.status, (await answer.json())["reason"]) == (status, reason)
        assert "sekret" not in text
        assert gateway.worker.gauges()["streams"] == 0


async def test_a_relay_is_begun_looked_at_and_ended(tmp_path: Path):
    async with sfu() as server, running(tmp_path, relay_hosts=("127.0.0.1",)) as gateway:
        body = {
            "from": server.url("/whep/cam?key=sekret"),
            "to": server.url("/whip/out"),
            "from_token": "sekret1",
            "to_token": "sekret2",
            "name": "desk",
            "backdrop": {"kind": "colour", "rgb": "#000000"},
        }
        begun = await gateway.http.post("/relays", json=body)
        assert begun.status == 201, await begun.text()
        assert (await begun.json())["stream"] == "desk"
        place = begun.headers["Location"]

        async def shown() -> dict[str, Any]:
            answer = await gateway.http.get(place)
            found: dict[str, Any] = await answer.json()
            return found

        await until(lambda: server.screen.count > 0, what="the composite")
        described = await shown()
        assert described["pull"]["server"] == server.url("/")[:-1]
        assert described["pull"]["state"] == "connected"
        listed = await (await gateway.http.get("/relays")).text()
        assert "sekret" not in listed + str(described)
        metrics = await (await gateway.http.get("/metrics")).text()
        assert "cleanplate_relays 1\n" in metrics
        assert "cleanplate_relays_live 1\n" in metrics
        # Its stream is one like any other, with the key that came with the answer.
        key = {"Cleanplate-Key": begun.headers["Cleanplate-Key"]}
        stream = await (await gateway.http.get("/streams/desk", headers=key)).json()
        assert stream["backdrop"]["rgb"] == "#000000"
        assert (await gateway.http.delete(place)).status == 200
        assert server.sessions == {"whep": {}, "whip": {}}
        assert (await gateway.http.get(place)).status == 404


async def test_why_a_relay_ended_can_be_seen_until_it_is_deleted(tmp_path: Path):
    async with sfu() as server, running(tmp_path, relay_hosts=("127.0.0.1",)) as gateway:
        server.refusals["whep"].append(web.json_response({"error": "wrong token"}, status=403))
        body = {"from": server.url("/whep/cam"), "to": server.url("/whip/out")}
        place = (await gateway.http.post("/relays", json=body)).headers["Location"]
        await until(lambda: gateway.worker.gauges()["sessions"] == 0, what="the end")
        shown = await (await gateway.http.get(place)).json()
        assert shown["state"] == shown["pull"]["state"] == shown["push"]["state"] == "ended"
        assert "403: wrong token" in shown["reason"]
        listed = await (await gateway.http.get("/relays")).json()
        assert [each["state"] for each in listed["relays"]] == ["ended"]
        assert (await gateway.http.delete(place)).status == 200
        assert (await gateway.http.get(place)).status == 404
        assert await (await gateway.http.get("/relays")).json() == {"relays": []}


async def test_relays_are_limited_and_their_names_taken(tmp_path: Path):
    body = {"from": f"{NOBODY}/a", "to": f"{NOBODY}/b"}
    async with running(tmp_path, relay_hosts=("127.0.0.1",), max_relays=1) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk")
        taken = await gateway.http.post("/relays", json={**body, "name": "desk"})
        assert (taken.status, (await taken.json())["reason"]) == (409, "name-taken")
        assert (await gateway.http.post("/relays", json=body)).status == 201
        full = await gateway.http.post("/relays", json=body)
        assert full.status == 503
        assert int(full.headers["Retry-After"]) > 0


async def test_a_server_that_stops_tells_the_servers_that_it_called(tmp_path: Path):
    async with sfu() as server:
        async with running(tmp_path, relay_hosts=("127.0.0.1",)) as gateway:
            body = {"from": server.url("/whep/cam"), "to": server.url("/whip/out")}
            await gateway.http.post("/relays", json=body)
            await until(lambda: server.screen.count > 0, what="the composite")
        assert server.sessions == {"whep": {}, "whip": {}}
