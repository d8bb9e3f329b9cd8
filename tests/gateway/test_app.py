from pathlib import Path

from gateway.app import page_folder
from tests.gateway.loopback import running


async def test_the_page_and_its_modules_are_served_and_nothing_beside_them(tmp_path: Path):
    (tmp_path / "index.html").write_text("<p>the page")
    (tmp_path / "style.css").write_text("p {}")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.js").write_text("export {}")
    async with running(tmp_path) as gateway:
        page = await gateway.http.get("/")
        assert page.content_type == "text/html"
        assert page.headers["Cache-Control"] == "no-cache"
        module = await gateway.http.get("/src/main.js")
        assert "javascript" in module.content_type
        assert module.headers["Cache-Control"] == "no-cache"
        assert (await gateway.http.get("/style.css")).content_type == "text/css"
        for hidden in ("/package.json", "/src/", "/src/%2e%2e/package.json"):
            assert (await gateway.http.get(hidden)).status in (403, 404), hidden


async def test_capabilities_tell_what_runs_and_what_to_ask_the_camera_for(tmp_path: Path):
    async with running(tmp_path) as gateway:
        told = await (await gateway.http.get("/capabilities")).json()
        assert told["backend"] == "scripted"
        assert told["recommended"] == {"width": 640, "height": 360, "fps": 30}
        assert told["ice_servers"] == []


async def test_turn_passwords_are_for_who_has_a_token(tmp_path: Path):
    async with running(
        tmp_path,
        tokens=("correct-horse-battery",),
        ice_servers=("turn:turn.example.org:3478?transport=udp",),
        ice_username="me",
        ice_credential="secret",
    ) as gateway:
        assert (await gateway.http.get("/capabilities")).status == 401
        headers = {"Authorization": "Bearer correct-horse-battery"}
        told = await (await gateway.http.get("/capabilities", headers=headers)).json()
        assert told["ice_servers"][0]["credential"] == "secret"


async def test_operators_see_health_readiness_and_sums(tmp_path: Path):
    async with running(tmp_path) as gateway:
        assert (await gateway.http.get("/healthz")).status == 200
        assert (await gateway.http.get("/readyz")).status == 200
        page = gateway.client()
        await page.publish("/whip/secret-name")
        await page.video(3)
        metrics = await (await gateway.http.get("/metrics")).text()
        assert "cleanplate_streams_live 1" in metrics
        assert "secret-name" not in metrics


async def test_unknown_addresses_and_methods_are_problems_too(tmp_path: Path):
    async with running(tmp_path) as gateway:
        unknown = await gateway.http.get("/nothing/here")
        assert (unknown.status, unknown.content_type) == (404, "application/problem+json")
        wrong = await gateway.http.put("/whip")
        assert (wrong.status, wrong.content_type) == (405, "application/problem+json")
        assert "POST" in wrong.headers["Allow"]


async def test_any_token_learns_the_turn_passwords_which_no_cache_keeps(tmp_path: Path):
    async with running(
        tmp_path,
        watch_tokens=("watch-horse-battery@desk",),
        ice_servers=("turn:turn.example.org:3478?transport=udp",),
        ice_secret="shared-with-coturn",
    ) as gateway:
        headers = {"Authorization": "Bearer watch-horse-battery"}
        response = await gateway.http.get("/capabilities", headers=headers)
        assert response.headers["Cache-Control"] == "no-store"
        (server,) = (await response.json())["ice_servers"]
        assert server["credential"] != "shared-with-coturn"
        assert server["username"].partition(":")[0].isdigit()


async def test_who_calls_too_often_is_told_when_to_come_again(tmp_path: Path):
    async with running(tmp_path, client_calls=0.5) as gateway:
        statuses = [(await gateway.http.delete("/whip/desk/none")).status for _ in range(3)]
        assert statuses == [404, 404, 429]
        refused = await gateway.http.post("/whip")
        assert refused.content_type == "application/problem+json"
        assert int(refused.headers["Retry-After"]) > 0
        # Looking costs nothing, and neither does a preflight.
        assert (await gateway.http.get("/whip")).status == 204
        assert (await gateway.http.options("/whip")).status == 204


def test_a_checkout_serves_the_page_from_web():
    assert page_folder().name in ("web", "static")


async def test_json_ends_its_line_as_a_terminal_expects(tmp_path: Path):
    async with running(tmp_path) as gateway:
        for path, status in (("/capabilities", 200), ("/nowhere", 404)):
            answer = await gateway.http.get(path)
            body = await answer.read()
            assert answer.status == status
            assert body.endswith(b"}\n")
            assert int(answer.headers["Content-Length"]) == len(body)
