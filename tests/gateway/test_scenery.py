"""What a publisher wishes to be seen with, as it stands in a URL."""

from pathlib import Path

import pytest
from yarl import URL

from gateway.events import BlurChoice, ColourChoice, PictureChoice, TransparentChoice
from gateway.gallery import built_in
from gateway.scenery import AS_IT_IS, BadScenery, Scenery, read_scenery
from tests.gateway.grey_camera import BLACK
from tests.gateway.loopback import running, until


@pytest.mark.parametrize(
    ("query", "meaning"),
    [
        ("", AS_IT_IS),
        ("token=somebody-elses", AS_IT_IS),
        ("plate=first", Scenery(plate="first")),
        ("backdrop=loft", Scenery(backdrop=PictureChoice(id="loft"))),
        ("backdrop=%2300b140", Scenery(backdrop=ColourChoice(rgb="#00b140"))),
        ("backdrop=blur", Scenery(backdrop=BlurChoice())),
        ("backdrop=blur:12.5", Scenery(backdrop=BlurChoice(radius=12.5))),
        ("plate=first&backdrop=transparent", Scenery("first", TransparentChoice())),
    ],
)
def test_a_url_says_plate_and_backdrop(query: str, meaning: Scenery):
    assert read_scenery(URL(f"/whip/desk?{query}").query) == meaning


def test_json_may_spell_the_backdrop_out():
    asked = {"plate": "first", "backdrop": {"kind": "blur", "radius": 30}}
    assert read_scenery(asked) == Scenery("first", BlurChoice(radius=30))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"plate": ""}, "plate"),
        ({"plate": "last"}, "plate"),
        ({"plate": ["first"]}, "plate"),
        ({"backdrop": ""}, "backdrop"),
        ({"backdrop": "#pink"}, "backdrop"),
        ({"backdrop": "blur:1"}, "backdrop"),
        ({"backdrop": "blur:1.2.3"}, "backdrop"),
        ({"backdrop": "x" * 65}, "backdrop"),
        ({"backdrop": {"kind": "colour", "rgb": "pink"}}, "backdrop"),
        ({"backdrop": 7}, "backdrop"),
    ],
)
def test_what_means_nothing_is_refused(values: dict[str, object], reason: str):
    with pytest.raises(BadScenery) as caught:
        read_scenery(values)
    assert caught.value.reason == reason


def test_no_picture_is_called_like_another_kind_of_backdrop():
    for picture in built_in():
        assert read_scenery({"backdrop": picture.id}).backdrop == PictureChoice(id=picture.id)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("plate=last", "plate"),
        ("plate=first&plate=first", "plate"),
        ("backdrop=", "backdrop"),
        ("backdrop=nowhere", "unknown-backdrop"),
    ],
)
async def test_publishing_with_a_senseless_url_opens_nothing(
    tmp_path: Path, query: str, reason: str
):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send(f"/whip/desk?{query}", await client.offer_publishing())
        assert (response.status, (await response.json())["reason"]) == (422, reason)
        assert gateway.worker.gauges()["streams"] == gateway.worker.gauges()["sessions"] == 0


async def test_a_stream_begins_with_the_backdrop_of_its_url(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk?backdrop=%23000000")
        await page.video(3)
        assert abs(page.screen.corner - BLACK) < 12
        shown = await (await page.call("GET", "/backdrop")).json()
        assert shown == {"kind": "colour", "rgb": "#000000"}


async def test_who_returns_does_not_undo_what_was_chosen_since(tmp_path: Path):
    key = "k" * 32
    async with running(tmp_path) as gateway:
        first, again, changed = (gateway.client() for _ in range(3))
        await first.publish("/whip/desk?backdrop=dark", key=key)
        await first.video(2)
        await first.colour("#ffffff")
        await again.publish("/whip/desk?backdrop=dark", key=key)
        await until(lambda: again.screen.count > 2, what="video")
        assert (await (await again.call("GET", "/backdrop")).json())["kind"] == "colour"
        await changed.publish("/whip/desk?backdrop=light", key=key)
        assert (await (await changed.call("GET", "/backdrop")).json())["id"] == "light"


async def test_who_takes_a_name_over_begins_with_what_they_ask_for(tmp_path: Path):
    token = {"Authorization": "Bearer correct-horse-battery"}
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        first, other = gateway.client(), gateway.client()
        path = "/whip/desk?plate=first&backdrop=light"
        await first.accept(await first.send(path, await first.offer_publishing(), **token))
        await first.capture()
        await first.colour("#ffffff")
        await gateway.http.delete(first.location, headers=token)
        await other.accept(await other.send(path, await other.offer_publishing(), **token))
        await other.video(2)
        state = await (await other.call("GET", "")).json()
        assert state["backdrop"] == {"kind": "picture", "id": "light"}
        assert state["plate"]["first"] == {"state": "watching", "refused": None}


async def test_an_offer_that_is_refused_changes_nothing(tmp_path: Path):
    key = "k" * 32
    async with running(tmp_path) as gateway:
        page, again = gateway.client(), gateway.client()
        await page.publish("/whip/desk?backdrop=dark", key=key)
        await page.video(2)
        offer = (await again.offer_publishing()).replace("VP8", "VP9").replace("H264", "AV1")
        refused = await again.send("/whip/desk?backdrop=light", offer, **{"Cleanplate-Key": key})
        assert refused.status == 422
        assert (await (await page.call("GET", "/backdrop")).json())["id"] == "dark"
