"""What the README says is so."""

import argparse
import re
import shlex
from pathlib import Path

from gateway.settings_table import settings_table
from tests.gateway.loopback import running, until

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def curl() -> argparse.ArgumentParser:
    """As much of curl's command line as the README uses."""
    parser = argparse.ArgumentParser("curl")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    return parser


def test_the_readme_shows_every_setting_as_the_code_has_it():
    assert settings_table() in README, (
        "put what `cleanplate serve --print-settings-table` says between README.md's markers"
    )


async def test_the_calls_that_are_printed_for_encoders_work_after_one_another(tmp_path: Path):
    (token,) = re.findall(r'make serve ARGS="--tokens (\S+)"', README)
    (path,) = re.findall(r'"http://127\.0\.0\.1:8080(/whip/\S+)"', README)
    (header,) = re.findall(r"^    G=http://127\.0\.0\.1:8080 T='(.*)'$", README, re.MULTILINE)
    calls = re.findall(r"^    curl (.*)$", README, re.MULTILINE)
    assert len(calls) == 3
    async with running(tmp_path, tokens=(token,)) as gateway:
        encoder = gateway.client()
        offer = await encoder.offer_publishing(back=False)
        # The gallery is a smaller one here.
        path = path.replace("loft", "light")
        operator = {"Authorization": f"Bearer {token}"}
        await encoder.accept(await encoder.send(path, offer, **operator))
        plate = gateway.worker.stream("desk").plate
        await until(lambda: plate.state == "ready", seconds=30, what="the first plate")
        answers = []
        for call in calls:
            asked = curl().parse_args(shlex.split(call.replace("$T", header).replace("$G", "")))
            headers = dict(each.split(": ", 1) for each in asked.headers)
            response = await gateway.http.request(
                asked.method, asked.url, data=asked.body, headers=headers
            )
            assert response.ok, (call, await response.text())
            answers.append(await response.json())
        state, kept, gallery = answers
        assert state["plate"]["first"]["state"] == "learnt"
        assert kept["name"] == "desk"
        assert "light" in {each["id"] for each in gallery["backdrops"]}
        # And so the stream is published the next time.
        await gateway.http.delete(encoder.location, headers=operator)
        again = gateway.client()
        offer = await again.offer_publishing(back=False)
        path = path.replace("plate=first", "plate=kept:desk")
        await again.accept(await again.send(path, offer, **operator))
        await until(lambda: plate.state == "ready", seconds=30, what="the kept plate")
