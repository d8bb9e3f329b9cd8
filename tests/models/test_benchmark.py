"""`cleanplate bench matting` measures contestants side by side and says what it measured."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gateway.__main__ import main
from models import colour
from models.benchmark.contestants import ReferencePath, Shown, published_settings
from models.benchmark.floor import Ceilings, Work, count, floor
from models.benchmark.governed import measure_governed
from models.benchmark.programs import make_jobs, measure_alone, measure_batched
from models.benchmark.race import ROUND, Result, race
from models.benchmark.scene import Scene, make_scene
from models.benchmark.table import Streams, Table
from models.benchmark.traffic import Traffic
from models.device import choose_device
from models.graphs.frame import FrameKey
from models.graphs.runner import FrameRunner
from models.network import MattingConfig, MattingNetwork
from models.operating_point import OperatingPoint
from models.report import Quality
from tests.models.random_network import make_network

HD = FrameKey(1080, 1920, OperatingPoint(0.25, 80_000))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(64, 96)


class Slow:
    """Takes a known time of a clock that others share."""

    def __init__(self, name: str, clock: list[float], milliseconds: Sequence[float]) -> None:
        self.name, self.about = name, "by hand"
        self._clock, self._milliseconds, self.shown = clock, milliseconds, 0

    def frame(self, source: Any) -> Shown:
        took = self._milliseconds[self.shown % len(self._milliseconds)]
        self.shown += 1
        self._clock[0] += took / 1000
        self._clock.append(hash(self.name))
        return Shown(source, {"network": took / 2})


def test_contestants_run_in_turns_for_the_same_time(scene: Scene):
    clock = [0.0]
    slow, fast = Slow("slow", clock, [100.0]), Slow("fast", clock, [10.0])
    results = race([slow, fast], scene, 2.0, clock=lambda: clock[0])
    assert [result.name for result in results] == ["slow", "fast"]
    assert results[0].p50 == pytest.approx(100)
    assert results[1].fps == pytest.approx(100)
    assert results[0].stages == pytest.approx({"network": 50, "between": 50})
    assert results[0].frames == pytest.approx(20, abs=4)
    order = clock[1:]
    changes = sum(a != b for a, b in pairwise(order))
    assert changes >= 2 * 2.0 / ROUND - 1


def test_percentiles_show_what_medians_hide(scene: Scene):
    clock = [0.0]
    (result,) = race(
        [Slow("uneven", clock, [10.0] * 19 + [200.0])], scene, 20.0, clock=lambda: clock[0]
    )
    assert result.p50 == pytest.approx(10)
    assert result.p99 == pytest.approx(200)


def test_the_reference_path_is_the_published_network(scene: Scene):
    network = make_network()
    path = ReferencePath(network, choose_device("cpu"), scene)
    shown = path.frame(scene.sources[0])
    assert set(shown.milliseconds) >= {"decode", "network", "composite", "encode"}

    def tensor(rgb: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255

    rgb = colour.to_rgb(scene.sources[0])
    with torch.inference_mode():
        matte = network(tensor(rgb), tensor(scene.plate))
        mixed = matte.alpha * matte.foreground + (1 - matte.alpha) * tensor(scene.backdrop)
    expected = (mixed[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert (shown.pixels == colour.to_i420(expected)).mean() > 0.99


def test_published_settings_are_those_of_hd_and_of_4k():
    assert published_settings(1080, 1920) == (0.25, 80_000)
    assert published_settings(2160, 3840) == (0.125, 320_000)


@pytest.mark.parametrize(
    ("config", "key", "gmac"),
    [  # measured once with the published code: reference, section 3.2
        (MattingConfig("mobilenetv2"), HD, 9.76),
        (MattingConfig("resnet50"), HD, 34.21),
        (MattingConfig("resnet50"), FrameKey(2160, 3840, OperatingPoint(0.125, 320_000)), 41.33),
    ],
)
def test_multiplications_are_those_of_the_published_network(
    config: MattingConfig, key: FrameKey, gmac: float
):
    with torch.device("meta"):
        network = MattingNetwork(config)
    work = count(network, key, 2)
    assert work.multiplications / 1e9 == pytest.approx(gmac, rel=0.01)
    assert work.least_bytes > 2 * 1.5 * key.height * key.width
    assert work.layer_bytes > work.least_bytes


def test_the_floor_is_work_over_ceiling():
    found = floor(Work(2_000_000, 4_000, 8_000), Ceilings(1e9, 1e6, "float32"))
    assert found.arithmetic == pytest.approx(2)
    assert (found.least_bytes, found.layer_bytes) == (pytest.approx(4), pytest.approx(8))


def test_programs_are_measured_alone_and_in_batches(scene: Scene):
    device = choose_device("cpu")
    runner = FrameRunner(make_network(), device)
    key = FrameKey(64, 96, OperatingPoint(0.25, 160))
    jobs = make_jobs(runner, device, key, scene, 2)
    alone = measure_alone(runner, jobs[0], 0.0)
    assert alone.frames >= 3
    assert alone.p99 >= alone.p50 > 0
    assert set(alone.stages) == {"upload", "base", "download"}
    batched = measure_batched(runner, jobs, 0.0)
    assert batched.count == 2
    assert batched.fps > 0


def result(name: str, p50: float) -> Result:
    return Result(name, "by hand", 100, p50, p50 + 1, p50 + 2, {"network": p50 / 2, "between": 1.0})


def table() -> Table:
    return Table(
        command="cleanplate bench matting --size 1280x720",
        machine="a machine",
        date="2026-11-25",
        versions={"torch": "2.13"},
        size="1280x720",
        weights="mobilenetv2.rooms-2",
        about="base 480x270",
        reference=result("reference path", 100.0),
        engine=result("engine", 12.5),
        work=Work(10**9, 10**7, 10**8),
        ceilings=Ceilings(1e12, 1e10, "float32"),
        floor=floor(Work(10**9, 10**7, 10**8), Ceilings(1e12, 1e10, "float32")),
        streams=[Streams(4, 200.0)],
    )


def test_the_table_names_machine_versions_date_and_command():
    text = table().as_markdown()
    for word in ("8.0 times", "a machine", "2026-11-25", "torch 2.13", "bench matting"):
        assert word in text
    assert "| 4 " in text
    assert "50.0" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)
    assert "programs" not in text
    written = replace(table(), written=Traffic(192, 870_000_000, {})).as_markdown()
    assert "870 MB in 192 operations" in written
    noted = replace(table(), notes=["no graphics card"]).as_markdown()
    assert "- no graphics card" in noted


def test_the_json_holds_what_the_table_shows():
    found = json.loads(json.dumps(table().as_json()))
    assert found["ratio"] == pytest.approx(8)
    assert found["engine"]["fps"] == pytest.approx(80)
    assert found["streams"] == [{"streams": 4, "fps": 200.0}]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_command_measures_on_a_processor(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "table.md"
    arguments = "bench matting --size 96x64 --random mobilenetv2 --device cpu --seconds 0.01"
    arguments += " --precision fp32"
    status = main(
        [*arguments.split(), "--streams", "2", "--rate", "1000", "--json", "--markdown", str(file)]
    )
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["reference"]["frames"] >= 3
    assert found["engine"]["p50"] > 0
    assert found["streams"][0]["fps"] > 0
    assert found["command"].endswith("--precision fp32 --streams 2 --rate 1000 --seconds 0.01")
    assert "openvino fp32" in found["engine"]["about"]
    assert found["governed"]["fps"] > 0
    assert found["governed"]["quality"]["levels"] > 1
    assert "steps" in found["notes"][0]
    assert "where it goes" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--size large", "WIDTHxHEIGHT"),
        ("--size 66x64", "multiples of 4"),
        ("--device tpu", "unknown device"),
        ("--weights mobilenetv2.none-such", "no weights named"),
        ("--random mobilenetv2 --size 96x64 --precision int8", "no int8 ranges"),
    ],
)
def test_what_cannot_be_measured_is_said(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
):
    words = arguments.split()
    if "--device" not in words:
        words += ["--device", "cpu"]
    assert main(["bench", "matting", *words]) == 2
    assert message in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_being_done_is_told_at_a_terminal_only(capsys: pytest.CaptureFixture[str]):
    words = ["bench", "matting", "--device", "cpu", "--weights", "mobilenetv2.none-such"]
    with contextlib.redirect_stderr(Terminal()) as shown:
        assert main(words) == 2
    told, complaint = shown.getvalue().splitlines()
    assert told == "cleanplate bench matting: opening the network ..."
    assert "no weights named" in complaint
    assert main(words) == 2
    assert "opening" not in capsys.readouterr().err


class Relenting:
    """A path whose frames take less after each of its two first levels."""

    def __init__(self, clock: list[float]) -> None:
        self._clock, self._frames = clock, 0

    def frame(self, source: np.ndarray) -> Shown:
        level = min(self._frames // 10, 2)
        self._frames += 1
        self._clock[0] += (0.1, 0.05, 0.02)[level]
        return Shown(source, {}, Quality(level, 6, 0.25, 16000))


def test_a_governed_stream_is_measured_at_the_level_it_settles_on():
    clock = [0.0]
    path: Any = Relenting(clock)
    held = measure_governed(path, make_scene(64, 96), 30.0, 8.0, clock=lambda: clock[0])
    assert held.quality.level == 2
    assert held.fps == pytest.approx(50)
    assert held.p95 == pytest.approx(20)
    assert held.size == "96x64"
    text = replace(table(), governed=held).as_markdown()
    assert "level 2 of 0 to 5: composite 96x64" in text
