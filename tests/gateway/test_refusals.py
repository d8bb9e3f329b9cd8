"""What the operator reads about calls that are refused, and about who comes and goes."""

from pathlib import Path

import pytest

from gateway.access import Problem
from gateway.decoding import Crowded
from gateway.pictures import BadPicture
from gateway.refusals import MINUTE, MOST, Refusals, refusal
from gateway.sdp import BadOffer
from tests.gateway.loopback import running, until

TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


async def test_refused_calls_are_in_the_log_with_their_reason_and_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with running(tmp_path, tokens=(TOKEN,)) as gateway:
        wrong = {"Authorization": "Bearer mistyped-horse-battery"}
        right = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sdp"}
        assert (await gateway.http.post("/whip/desk", headers=wrong)).status == 401
        assert (await gateway.http.delete("/whip/desk/a-session", headers=wrong)).status == 401
        assert (await gateway.http.post("/whip/desk?plate=x", headers=right)).status == 422
        viewer = gateway.client()
        refused = await viewer.send("/whep/desk", await viewer.offer_watching(), **right)
        assert refused.status == 409
        assert (await gateway.http.get("/nothing", headers=right)).status == 404
    lines = [record.message for record in caplog.records if record.name == "gateway.refusals"]
    assert lines == [
        "refused POST /whip/desk: 401 token",
        "refused DELETE /whip/desk/{session}: 401 token",
        "refused POST /whip/desk: 422 plate",
        "refused POST /whep/desk: 409 not-live",
    ]


def test_the_same_is_said_once_a_minute_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture):
    now = 0.0
    refusals = Refusals(lambda: now)
    for _ in range(4):
        refusals.note("POST /whip", 429, "rate")
    assert len(caplog.records) == 1
    now = MINUTE
    refusals.note("POST /whip", 429, "rate")
    assert [record.message for record in caplog.records][1:] == [
        "3 more calls were refused for such reasons",
        "refused POST /whip: 429 rate",
    ]


def test_nobody_fills_the_log(caplog: pytest.LogCaptureFixture):
    refusals = Refusals(lambda: 0.0)
    for number in range(10 * MOST):
        refusals.note("POST /whip", 422, f"reason-{number}")
    assert len(caplog.records) == MOST


@pytest.mark.parametrize(
    ("error", "status", "reason", "headers"),
    [
        (Problem(409, "busy", "Later.", {"Retry-After": "9"}), 409, "busy", {"Retry-After": "9"}),
        (BadOffer("no-video", "It has none.", 422), 422, "no-video", {}),
        (BadPicture("picture", "It is none."), 400, "picture", {}),
        (Crowded(), 503, "full", {"Retry-After": "5"}),
    ],
)
def test_whoever_refuses_it_is_answered_in_one_form(
    error: Problem | BadOffer | BadPicture | Crowded,
    status: int,
    reason: str,
    headers: dict[str, str],
):
    problem = refusal(error)
    assert (problem.status, problem.reason, problem.headers) == (status, reason, headers)
    assert problem.detail


async def test_the_log_says_who_came_and_who_left(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async with running(tmp_path) as gateway:
        page, viewer = gateway.client(), gateway.client()
        await page.publish("/whip/desk")
        await page.video(1)
        await viewer.watch("desk")
        await viewer.video(1)
        await gateway.http.delete(viewer.location)
        await page.connection.close()
        await until(lambda: not gateway.worker.gauges()["streams_live"], what="the end")
    for line in (
        "stream desk is live",
        "stream desk: a watcher has joined",
        "stream desk: the watcher's session ended: the client ended the session",
        "stream desk: the publisher's session ended: the ",
    ):
        assert line in caplog.text
