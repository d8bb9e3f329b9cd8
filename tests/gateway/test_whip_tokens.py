"""Who may publish, where the operator gave tokens out."""

import time
from pathlib import Path

from gateway.signed_tokens import SignedTokens
from tests.gateway.loopback import running

PUBLISH, WATCH = "publish-horse-battery", "watch-horse-battery"
SECRET = "correct-horse-battery-staple-and-more"


async def test_a_token_is_needed_where_the_operator_says_so(tmp_path: Path):
    token = "correct-horse-battery"
    async with running(tmp_path, tokens=(token,)) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        refused = await client.send("/whip", offer)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
        wrong = await client.send("/whip", offer, Authorization="Bearer wrong-horse-battery")
        assert wrong.status == 401
        bearer = {"Authorization": f"Bearer {token}"}
        await client.accept(await client.send("/whip", offer, **bearer))
        assert (await gateway.http.delete(client.location)).status == 401
        # The token opens the stream as its key does.
        shown = await gateway.http.get(f"/streams/{client.stream}", headers=bearer)
        assert shown.status == 200
        assert (await gateway.http.delete(client.location, headers=bearer)).status == 200


async def test_a_token_for_watching_publishes_nothing(tmp_path: Path):
    async with running(tmp_path, publish_tokens=(PUBLISH,), watch_tokens=(WATCH,)) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        refused = await client.send("/whip/desk", offer, Authorization=f"Bearer {WATCH}")
        assert refused.status == 403
        assert (await refused.json())["reason"] == "scope"
        assert "insufficient_scope" in refused.headers["WWW-Authenticate"]
        await client.accept(
            await client.send("/whip/desk", offer, Authorization=f"Bearer {PUBLISH}")
        )
        for method in ("PATCH", "DELETE"):
            for token, status in ((WATCH, 403), ("other-horse-battery", 401)):
                response = await gateway.http.request(
                    method, client.location, headers={"Authorization": f"Bearer {token}"}
                )
                assert response.status == status, (method, token)


async def test_a_token_for_one_stream_publishes_into_no_other(tmp_path: Path):
    async with running(tmp_path, publish_tokens=(f"{PUBLISH}@desk",)) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        bearer = {"Authorization": f"Bearer {PUBLISH}"}
        for path in ("/whip/door", "/whip"):
            assert (await client.send(path, offer, **bearer)).status == 403
        await client.accept(await client.send("/whip/desk", offer, **bearer))
        # It opens this stream as its key does, except for what shows the room.
        assert (await gateway.http.get("/streams/desk", headers=bearer)).status == 200
        assert (await gateway.http.get("/streams/desk/plate", headers=bearer)).status == 403


async def test_a_token_for_publishing_opens_nobody_elses_stream(tmp_path: Path):
    async with running(tmp_path, publish_tokens=(PUBLISH,), watch_tokens=(WATCH,)) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        await client.accept(
            await client.send("/whip/desk", offer, Authorization=f"Bearer {PUBLISH}")
        )
        for token in (PUBLISH, WATCH):
            headers = {"Authorization": f"Bearer {token}"}
            response = await gateway.http.delete("/streams/desk/plate", headers=headers)
            assert response.status == 403


def signed(*scopes: str, stream: str | None = None, seconds: float = 600) -> dict[str, str]:
    """Headers with a token that began long ago where `seconds` are negative."""
    token = SignedTokens(SECRET).make(
        *scopes,  # type: ignore[arg-type]
        stream=stream,
        seconds=abs(seconds),
        now=time.time() + min(0, seconds) - 100,
    )
    return {"Authorization": f"Bearer {token}"}


async def test_a_signed_token_opens_what_it_says(tmp_path: Path):
    async with running(tmp_path, token_secret=SECRET) as gateway:
        client, watcher = gateway.client(), gateway.client()
        offer = await client.offer_publishing()
        desk = signed("publish", stream="desk")
        assert (await client.send("/whip/desk", offer)).status == 401
        assert (await client.send("/whip/door", offer, **desk)).status == 403
        assert (await client.send("/whip/desk", offer, **signed("watch"))).status == 403
        await client.accept(await client.send("/whip/desk", offer, **desk))
        await client.video(1)
        offer = await watcher.offer_watching()
        assert (await watcher.send("/whep/desk", offer, **desk)).status == 403
        await watcher.accept(await watcher.send("/whep/desk", offer, **signed("watch")))
        # It opens this stream as its key does, except for what shows the room.
        for headers, path, status in (
            (desk, "/streams/desk", 200),
            (desk, "/streams/desk/plate", 403),
            (signed("publish"), "/streams/desk", 403),
            (signed("publish", "watch"), "/streams/desk", 200),
            (signed("publish", "watch"), "/relays", 200),
            (signed("publish", "watch", stream="desk"), "/relays", 403),
        ):
            assert (await gateway.http.get(path, headers=headers)).status == status, path
        assert (await gateway.http.delete(client.location, headers=desk)).status == 200


async def test_an_expired_token_says_so_and_the_session_that_it_opened_goes_on(tmp_path: Path):
    async with running(tmp_path, token_secret=SECRET) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        await client.accept(await client.send("/whip/desk", offer, **signed("publish")))
        expired = signed("publish", seconds=-600)
        for refused in (
            await client.send("/whip/desk", offer, **expired),
            await gateway.http.delete(client.location, headers=expired),
        ):
            assert refused.status == 401
            assert (await refused.json())["reason"] == "expired"
            # RFC 6750, 3.1.
            assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
            assert "expired" in refused.headers["WWW-Authenticate"]
        await client.video(2)
        forged = {"Authorization": expired["Authorization"][:-4] + "AAAA"}
        answer = await gateway.http.delete(client.location, headers=forged)
        assert (await answer.json())["reason"] == "token", "of another's token nothing is told"
        # What is not the operator's to allow needs no token, and heeds none.
        assert (await client.call("GET", "", headers=expired)).status == 200


async def test_what_the_key_of_a_plate_opens_heeds_no_token(tmp_path: Path):
    async with running(tmp_path, token_secret=SECRET) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing()
        await client.accept(await client.send("/whip/desk", offer, **signed("publish")))
        await client.capture()
        expired = signed("publish", "watch", seconds=-600)
        owner = expired | {"Cleanplate-Key": client.key}
        body = {"stream": "desk"}
        for status in (201, 200):
            kept = await gateway.http.put("/plates/desk", json=body, headers=owner)
            assert kept.status == status
        listed = await gateway.http.get("/plates", headers=owner)
        assert [plate["name"] for plate in (await listed.json())["plates"]] == ["desk"]
        assert (await gateway.http.get("/plates/desk", headers=owner)).status == 200
        # Where the key opens nothing, the token is what counts.
        for other in (expired, expired | {"Cleanplate-Key": "o" * 32}):
            refused = await gateway.http.get("/plates", headers=other)
            assert (refused.status, (await refused.json())["reason"]) == (401, "expired")
            assert (await gateway.http.delete("/plates/desk", headers=other)).status == 401
        assert (await gateway.http.delete("/plates/desk", headers=owner)).status == 204
