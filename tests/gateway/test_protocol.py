"""PROTOCOL.md says what the code does."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import jwt
import pytest
from pydantic import TypeAdapter

from gateway import events
from gateway.__main__ import make_parser
from gateway.access import Problem
from gateway.app import create_app
from gateway.kept_plates import KeptPlate
from gateway.matting import ScriptedEngine
from gateway.plates import entry
from gateway.renditions.pool import Seating
from gateway.settings import Settings
from gateway.signed_tokens import ALGORITHM
from gateway.stats import Arrivals, Departures
from models.errors import ADVICE
from tests.gateway.loopback import running

TEXT = (Path(__file__).parents[2] / "gateway" / "PROTOCOL.md").read_text(encoding="utf-8")


def examples(kind: str, language: str = "json") -> list[str]:
    return re.findall(rf"```{language} {kind}\n(.*?)\n```", TEXT, re.DOTALL)


def test_every_call_in_the_table_is_routed_and_every_route_is_in_the_table(tmp_path: Path):
    written = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", TEXT, re.MULTILINE))
    engine = ScriptedEngine()
    app = create_app(Settings(), engine, gallery=(), page=tmp_path)
    engine.close()
    routed = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical != "/src"
    }
    # HEAD comes with every GET; it is written down where it means something.
    implied = {call for call in routed if call.startswith("HEAD ")} - written
    assert routed - implied == written


@pytest.mark.parametrize("example", examples("event"))
def test_every_example_of_an_event_is_one(example: str):
    event = events.decode(example)
    assert json.loads(events.encode(event)) == json.loads(example)


def test_weights_that_are_named_are_there():
    named = re.findall(r'"weights": "([^"]+)"', TEXT)
    assert named
    for name in named:
        assert (Path(__file__).parents[2] / "models" / "weights" / f"{name}.toml").exists(), name


def test_every_event_has_an_example():
    union, _ = get_args(events.Event)
    kinds = {kind.model_fields["type"].default for kind in get_args(union)}
    assert {json.loads(example)["type"] for example in examples("event")} == kinds


def test_every_backdrop_has_an_example_that_is_accepted():
    choices = [events.decode_choice(example) for example in examples("backdrop")]
    union, _ = get_args(events.BackdropChoice)
    assert {type(choice) for choice in choices} == set(get_args(union))


def test_the_report_is_one():
    (example,) = examples("report")
    TypeAdapter(events.Report).validate_json(example)


def test_a_kept_plate_is_told_of_as_written():
    (example,) = examples("kept")
    kept = datetime(2026, 11, 25, 23, tzinfo=UTC)
    plate = KeptPlate("desk", "", int(kept.timestamp()), 1280, 720, b"")
    assert entry(plate) == json.loads(example)


def test_what_is_said_of_encoders_and_counted_is_explained():
    for kind in (Seating, Arrivals, Departures):
        for field in fields(kind):
            assert f"`{field.name}`" in TEXT, field.name


def test_the_problem_looks_like_ours():
    (example,) = examples("problem")
    written = json.loads(example)
    made = Problem(written["status"], written["reason"], written["detail"]).response()
    assert json.loads(made.text or "") == written
    assert written["detail"] == ADVICE["moved"]


def test_the_token_says_what_is_written_beside_it():
    (token,), (claims,) = examples("token", "text"), examples("claims")
    (secret,) = re.findall(r"export CLEANPLATE_TOKEN_SECRET=(\S+)", TEXT)
    options = {"verify_exp": False, "verify_iat": False}
    read = jwt.decode(token, secret, algorithms=[ALGORITHM], options=options)
    assert read == json.loads(claims)
    (command,) = re.findall(r"^    cleanplate (token .*)$", TEXT, re.MULTILINE)
    args = make_parser("token").parse_args(command.split())
    assert (args.stream, args.purpose) == (read["stream"], read["scope"])
    assert args.minutes * 60 == read["exp"] - read["iat"]


def test_every_reason_to_refuse_a_plate_is_explained():
    for reason in ADVICE:
        assert f"`{reason}`" in TEXT


def test_every_reason_in_the_code_is_a_word_for_programs():
    source = Path(__file__).parents[2] / "gateway"
    for path in source.glob("*.py"):
        for reason in re.findall(r'BadOffer\(\s*"([^"]+)"', path.read_text(encoding="utf-8")):
            assert f"`{reason}`" in TEXT, (path.name, reason)


async def test_the_relay_looks_like_ours(tmp_path: Path):
    (example,) = examples("relay")
    written = json.loads(example)
    async with running(tmp_path, relay_hosts=("127.0.0.1",)) as gateway:
        body = {"from": "http://127.0.0.1:1/a", "to": "http://127.0.0.1:1/b", "name": "desk"}
        made = await (await gateway.http.post("/relays", json=body)).json()
    assert made.keys() == written.keys()
    assert made["pull"].keys() == made["push"].keys() == written["pull"].keys()
