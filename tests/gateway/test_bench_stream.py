"""The whole measurement against a real server in its own process, small and short."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.__main__ import main

SMALL = ["--size", "160x90", "--fps", "10", "--media-alone", "--warm-up", "0"]


@pytest.mark.slow
def test_two_streams_are_measured_from_camera_to_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows, drawing = tmp_path / "seconds.csv", tmp_path / "plot.svg"
    status = main(
        [
            *("bench", "stream", *SMALL, "--streams", "2", "--seconds", "3", "--direct", "1"),
            *("--json", "--csv", str(rows), "--plot", str(drawing), "--set", "freeze=2"),
            "--sound",
        ]
    )
    shown = capsys.readouterr()
    assert status == 0, shown.err
    found = json.loads(shown.out)
    assert len(found["streams"]) == 2
    for stream in [*found["streams"], found["total"]]:
        assert 0 < stream["composited_fps"] <= stream["sent_fps"] + 5
        assert 0 < stream["latency_ms"]["p50"] <= stream["latency_ms"]["p99"]
        assert stream["added_ms"]["p50"] == pytest.approx(
            stream["latency_ms"]["p50"] - found["direct_ms"]["p50"], abs=0.11
        )
        assert stream["up_kbit"] > 0
        assert stream["down_kbit"] > 0
    assert found["total"]["lip_sync_ms"]["beeps"] >= 2
    assert found["total"]["lip_sync_ms"]["reported"] is not None
    assert found["streams"][0]["server"]["frames_out"] > 0
    assert found["server"]["backend"] == "scripted"
    assert found["settings"]["server"] == ["freeze=2"]
    assert found["versions"]["aiortc"]
    assert found["usage"]["server_mib"] > 20
    assert found["usage"]["descriptors"] > 5
    with rows.open() as file:
        seconds = list(csv.DictReader(file))
    assert [(row["stream"], row["second"]) for row in seconds] == [
        (stream, second) for stream in "12" for second in "012"
    ]
    assert sum(int(row["composites"]) for row in seconds) > 0
    ElementTree.parse(drawing)


@pytest.mark.slow
def test_a_burst_over_whep_is_recovered_from_and_told(capsys: pytest.CaptureFixture[str]):
    status = main(
        [
            *("bench", "stream", *SMALL, "--seconds", "6", "--direct", "0", "--watch"),
            *("--codec", "h264", "--burst", "300", "--burst-every", "2", "--delay", "5"),
            *("--expect", "fps=1000", "--watchers", "3"),
        ]
    )
    shown = capsys.readouterr()
    # Measured, and short of what was asked for.
    assert status == 1, shown.err
    assert "expected 1000" in shown.err
    assert re.search(r"After 2 bursts composites flowed", shown.out)
    assert "300 ms every 2 s" in shown.out
    assert "H264" in shown.out
    assert "back through WHEP" in shown.out
    told = re.search(r"3 further watchers got ([\d.]+) .* encoded ([\d.]+) a second", shown.out)
    assert told
    # All four share an encoder most of the time; one each would be four times as many.
    assert 0 < float(told[2]) < 3 * 12


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["bench", "stream", *SMALL, "--direct", "0", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("cleanplate bench stream: ")
    assert said.count("\n") == 1
    return said


def test_a_setting_that_does_not_exist_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
):
    assert "donwlink_max" in refused(capsys, "--set", "donwlink_max=8000")
    assert "NAME=VALUE" in refused(capsys, "--set", "downlink_max")
    assert "loopback" in refused(capsys, "--set", "host=0.0.0.0", "--set", "insecure=true")


def test_a_clip_needs_its_plate(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert "belong together" in refused(capsys, "--clip", "somebody.mp4")
    absent = str(tmp_path / "absent.mp4")
    assert absent in refused(capsys, "--clip", absent, "--plate", absent)


@pytest.mark.slow
def test_a_server_that_does_not_start_says_why(capsys: pytest.CaptureFixture[str]):
    said = refused(capsys, "--set", "default_backdrop=nowhere")
    assert "nowhere" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "640"],
        ["--size", "641x360"],
        ["--streams", "0"],
        ["--loss", "101"],
        ["--fps", "0"],
        ["--seconds", "nan"],
        ["--expect", "beauty=1"],
        ["--codec", "av1"],
    ],
)
def test_a_wrong_argument_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["bench", "stream", *arguments])
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.slow
def test_a_soak_of_seconds_is_judged_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = tmp_path / "soak.csv"
    status = main(
        [
            *("bench", "soak", "--size", "160x90", "--fps", "10", "--media-alone"),
            *("--seconds", "6", "--visit", "1", "--csv", str(rows)),
        ]
    )
    shown = capsys.readouterr()
    assert status == 0, shown.out + shown.err
    for name in ("memory_mib", "threads", "descriptors"):
        assert re.search(rf"{name} .* flat", shown.out)
    with rows.open() as file:
        samples = list(csv.DictReader(file))
    assert len(samples) >= 6
    assert all(float(row["memory_mib"]) > 20 and int(row["descriptors"]) > 5 for row in samples)


@pytest.mark.parametrize("subject", ["stream", "soak"])
def test_help_does_not_wait_for_networks_or_codecs(subject: str):
    code = (
        "import sys\n"
        "from gateway.__main__ import make_parser\n"
        "make_parser('bench')\n"
        "assert not {'torch', 'av', 'cv2', 'aiortc'} & sys.modules.keys(), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(SystemExit) as ended:
        main(["bench", subject, "--help"])
    assert ended.value.code == 0
