"""Who may publish, where the operator gave tokens out."""

from pathlib import Path

from tests.gateway.loopback import running

PUBLISH, WATCH = "publish-horse-battery", "watch-horse-battery"


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
