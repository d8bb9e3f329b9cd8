"""Publishing, as RFC 9725 has it."""

import time
from pathlib import Path

import pytest

from gateway.matting import ScriptedEngine
from tests.conformance.case import Verdict, judge
from tests.conformance.descriptions import CASES, ice_servers
from tests.conformance.endpoint import Endpoint
from tests.gateway.loopback import running

CANDIDATE = "a=candidate:1 1 udp 1 192.0.2.1 5000 typ"


async def test_a_plain_whip_client_gets_a_recvonly_answer_and_no_composite(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing(back=False)
        assert "a=sendonly" in offer
        response = await client.send("/whip", offer.replace("a=sendonly", "a=sendrecv"))
        assert response.status == 201
        assert "a=recvonly" in client.answer
        assert "a=sendrecv" not in client.answer
        assert "a=rtcp-mux-only" in client.answer
        assert "x-google-start-bitrate" in client.answer


async def test_a_created_session_is_described_by_its_headers(tmp_path: Path):
    async with running(tmp_path, ice_servers=("stun:stun.example.net:3478",)) as gateway:
        client = gateway.client()
        response = await client.send("/whip/desk", await client.offer_publishing())
        assert response.status == 201
        assert response.headers["Content-Type"] == "application/sdp"
        assert response.headers["Location"].startswith("/whip/desk/")
        assert response.headers["ETag"].startswith('"')
        links = response.headers.getall("Link")
        assert '</streams/desk>; rel="urn:cleanplate:stream"' in links
        assert '<stun:stun.example.net:3478>; rel="ice-server"' in links
        assert len(response.headers["Cleanplate-Key"]) >= 22


async def test_a_stream_without_a_name_gets_one_that_cannot_be_guessed(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whip", await client.offer_publishing())
        assert len(response.headers["Location"].split("/")[2]) >= 22


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (lambda sdp: "hello", 400, "malformed-sdp"),
        (lambda sdp: "", 400, "malformed-sdp"),
        (lambda sdp: sdp.replace("a=ice-pwd:", "a=ice-password:"), 400, "malformed-sdp"),
        (lambda sdp: sdp.replace("a=sendrecv", "a=recvonly"), 422, "direction"),
        (lambda sdp: sdp.replace("a=sendrecv", "a=inactive"), 422, "direction"),
        (lambda sdp: sdp.replace("m=video", "m=text"), 422, "unsupported-media"),
        (lambda sdp: sdp.replace("m=video", "m=audio"), 422, "no-video"),
        (lambda sdp: sdp.replace("VP8", "VP9").replace("H264", "AV1"), 422, "no-codec"),
        (lambda sdp: sdp + "a=x:" + 70_000 * "y", 413, "too-large"),
    ],
)
async def test_a_bad_offer_is_refused_with_a_reason(tmp_path: Path, change, status, reason):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whip", change(await client.offer_publishing()))
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = await response.json()
        assert (response.status, problem["reason"]) == (status, reason)
        assert problem["detail"]


async def test_offers_of_another_type_are_refused(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        response = await client.send("/whip", offer, **{"Content-Type": "text/plain"})
        assert response.status == 415


async def test_more_candidates_than_allowed_are_refused(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        many = "".join(
            f"a=candidate:{n} 1 udp 2130706431 192.0.2.{n} 50000 typ host\r\n" for n in range(1, 40)
        )
        response = await client.send("/whip", offer + many)
        assert response.status == 400
        assert (await response.json())["reason"] == "too-many-candidates"


async def test_the_endpoint_answers_get_and_options(tmp_path: Path):
    async with running(tmp_path) as gateway:
        for path in ("/whip", "/whip/desk"):
            assert (await gateway.http.get(path)).status == 204
            response = await gateway.http.options(path)
            assert response.status == 204
            assert response.headers["Accept-Post"] == "application/sdp"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, "", 428),
        ({"If-Match": '"other"'}, "", 412),
        ({"If-Match": "ETAG", "Content-Type": "application/json"}, "", 415),
        ({"If-Match": "*"}, "a=ice-ufrag:changed\r\n", 422),
        ({"If-Match": "ETAG"}, "what is this", 400),
        ({"If-Match": "ETAG"}, "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", 400),
        ({"If-Match": "ETAG"}, "a=mid:0\r\na=candidate:1 1 udp 1 x.local 5000 typ host\r\n", 204),
        ({"If-Match": "ETAG"}, "a=mid:0\r\na=end-of-candidates\r\n", 204),
        ({"If-Match": "ETAG"}, f"a=mid:x\r\n{CANDIDATE} host\r\n", 204),
        ({"If-Match": "ETAG"}, f"a=mid:0\r\n{CANDIDATE} nonsense\r\n", 204),
        ({"If-Match": "ETAG"}, f"a=mid:0\r\n{CANDIDATE} srflx raddr x rport y\r\n", 204),
        ({"If-Match": '"*"'}, "a=ice-ufrag:changed\r\n", 422),
    ],
)
async def test_trickling_follows_the_rules_of_preconditions(
    tmp_path: Path, headers: dict[str, str], body: str, status: int
):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whip", await client.offer_publishing())
        sent = {"Content-Type": "application/trickle-ice-sdpfrag", **headers}
        if sent.get("If-Match") == "ETAG":
            sent["If-Match"] = response.headers["ETag"]
        answer = await gateway.http.patch(response.headers["Location"], data=body, headers=sent)
        assert answer.status == status, await answer.text()


async def test_a_client_that_trickles_connects(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        lines = offer.split("\r\n")
        bare = "\r\n".join(line for line in lines if "candidate" not in line)
        candidates = [line for line in lines if line.startswith("a=candidate")]
        mid = next(line for line in lines if line.startswith("a=mid:"))
        await client.accept(await client.send("/whip", bare))
        fragment = "\r\n".join(["m=video 9 UDP/TLS/RTP/SAVPF 0", mid, *candidates, ""])
        patched = await gateway.http.patch(
            client.location,
            data=fragment,
            headers={
                "Content-Type": "application/trickle-ice-sdpfrag",
                "If-Match": client.etag,
            },
        )
        assert patched.status == 204
        await client.video(3)


async def test_a_session_url_answers_get_and_delete_and_is_gone_then(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        await client.publish()
        assert (await gateway.http.get(client.location)).status == 204
        ignored = {"If-Match": '"whatever"'}
        assert (await gateway.http.delete(client.location, headers=ignored)).status == 200
        assert (await gateway.http.get(client.location)).status == 404
        assert (await gateway.http.delete(client.location)).status == 404


async def test_beyond_the_limit_of_sessions_the_server_is_busy(tmp_path: Path):
    async with running(tmp_path, max_sessions=1) as gateway:
        first, second = gateway.client(), gateway.client()
        await first.publish()
        response = await second.send("/whip", await second.offer_publishing())
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert (await gateway.http.get("/readyz")).status == 503


async def test_one_address_has_no_more_sessions_than_it_may(tmp_path: Path):
    async with running(tmp_path, max_client_sessions=2) as gateway:
        page, watcher, another = (gateway.client() for _ in range(3))
        await page.publish("/whip/desk")
        await watcher.watch("desk")
        offer = await another.offer_watching()
        response = await another.send("/whep/desk", offer)
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert (await gateway.http.delete(watcher.location)).status == 200
        # What was refused for another reason takes no place.
        assert (await another.send("/whep/nobody", offer)).status == 409
        assert (await another.send("/whep/desk", offer)).status == 201


async def test_an_engine_without_room_is_said_to_be_busy(tmp_path: Path):
    async with running(tmp_path, ScriptedEngine(capacity=0)) as gateway:
        client = gateway.client()
        response = await client.send("/whip", await client.offer_publishing())
        assert response.status == 503
        assert "no room" in (await response.json())["detail"]


@pytest.mark.parametrize("key", ["short", "x" * 21, "x" * 200, "with spaces in it and long enough"])
async def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path, key: str):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        response = await client.send("/whip", offer, **{"Cleanplate-Key": key})
        assert response.status == 400


async def test_candidates_without_a_condition_are_taken_where_the_operator_says_so(tmp_path: Path):
    async with running(tmp_path, lenient_trickle=True) as gateway:
        client = gateway.client()
        response = await client.send("/whip", await client.offer_publishing())
        etag = response.headers["ETag"]
        sent = {"Content-Type": "application/trickle-ice-sdpfrag"}
        for condition, status in ((None, 204), (etag.strip('"'), 204), ("other", 412)):
            headers = sent if condition is None else {**sent, "If-Match": condition}
            url, body = response.headers["Location"], "a=mid:0\r\n"
            assert (await gateway.http.patch(url, data=body, headers=headers)).status == status


async def test_a_restart_is_refused_and_the_session_goes_on(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        await client.publish()
        await client.video(2)
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        body = "a=ice-ufrag:another\r\na=ice-pwd:another-password-of-24-chars\r\na=mid:0\r\n"
        body += 20 * f"{CANDIDATE} host\r\n"
        for _ in range(3):
            response = await gateway.http.patch(client.location, data=body, headers=headers)
            # Never 400: what comes with a restart is not counted as trickled.
            assert response.status == 422
            assert (await response.json())["reason"] == "no-restart"
        await client.video(3)


async def test_turn_passwords_come_with_the_session_and_expire(tmp_path: Path):
    # A name that cannot be resolved: nothing is asked, and nothing waited for.
    url = "turn:turn.invalid:3478?transport=udp"
    async with running(tmp_path, ice_servers=(url,), ice_secret="shared-with-coturn") as gateway:
        endpoint = Endpoint("whip", str(gateway.server.make_url("/whip")), gateway.http)
        (case,) = (each for each in CASES if each.check is ice_servers)
        result = await judge(case, endpoint)
        assert result.verdict is Verdict.PASS, result.line()
        async with endpoint.session() as session:
            assert session.reply.headers["Cache-Control"] == "no-store"
            (link,) = [each for each in session.reply.headers.getall("Link") if "turn:" in each]
            expires = int(link.partition('username="')[2].partition(":")[0])
            assert 3500 < expires - time.time() < 3700
        for path in ("/whip", "/whep/desk", "/capabilities"):
            preflight = await gateway.http.options(path)
            assert "Link" not in preflight.headers
            assert "turn" not in await preflight.text()
