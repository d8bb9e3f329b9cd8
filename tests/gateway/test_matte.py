"""`cleanplate matte` on real files: pictures, videos, sound, and mistakes that people make."""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gateway import matte
from models.backdrop import Blur, Colour, Picture, Transparent
from models.backends import choice
from models.errors import PictureError
from models.weights import save_weights
from tests.models.random_network import make_network

SIZE = (72, 128)


@pytest.fixture(autouse=True)
def reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translating the network for OpenVINO takes longer than these tiny frames."""
    monkeypatch.setattr(choice, "openvino_installed", lambda: False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("weights")
    card = save_weights(make_network().state_dict(), "mobilenetv2.random", folder, licence="none")
    return str(card.path)


def room(height: int = SIZE[0], width: int = SIZE[1]) -> np.ndarray:
    coarse = np.random.default_rng(2).integers(40, 200, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def picture(path: Path, rgb: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


def film(path: Path, frames: int = 12, sound: str | None = "aac", rate: int = 25) -> Path:
    """A clip of the room with a square that appears after a few frames, and a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate)
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        audio = container.add_stream(sound, rate=48000) if sound else None
        for i in range(frames):
            rgb = room()
            if i > 3:
                rgb[20:60, 40:80] = (230, 30, 30)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            tone = np.sin(np.arange(48000 * frames // rate) / 20).astype(np.float32)[None]
            for start in range(0, tone.shape[1] - 1024, 1024):
                part = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(tone[:, start : start + 1024]), "fltp", "mono"
                )
                part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return path


def arguments(weights: str, *words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    matte.add_arguments(parser)
    return parser.parse_args([*map(str, words), "--weights", weights, "--device", "cpu"])


@pytest.fixture
def still(tmp_path: Path) -> tuple[Path, Path]:
    source = room()
    source[20:60, 40:80] = (230, 30, 30)
    return picture(tmp_path / "source.png", source), picture(tmp_path / "plate.png", room())


def test_a_picture_becomes_a_cutout_beside_itself(
    still: tuple[Path, Path], weights: str, capsys: pytest.CaptureFixture[str]
):
    source, plate = still
    assert matte.run(arguments(weights, source, "--plate", plate)) == 0
    out = source.with_name("source-cutout.png")
    assert capsys.readouterr().out.strip() == str(out)
    rgba = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert rgba.shape == (*SIZE, 4)
    assert (rgba[rgba[..., 3] == 0] == 0).all()


def test_a_picture_is_composited_and_its_layers_written(
    still: tuple[Path, Path], weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source, plate = still
    layers = ("--alpha", tmp_path / "a.png", "--foreground", tmp_path / "f.png")
    words = (source, "--plate", plate, "--backdrop", "#00b140", "--json", "--align", *layers)
    assert matte.run(arguments(weights, *words)) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["out"].endswith("source-composite.png")
    assert (report["width"], report["height"], report["device"]) == (128, 72, "cpu")
    alpha = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED) / 255.0
    foreground = cv2.imread(str(tmp_path / "f.png")).astype(float)
    composite = cv2.imread(report["out"]).astype(float)
    expected = alpha[..., None] * foreground + (1 - alpha[..., None]) * (0x40, 0xB1, 0x00)
    assert np.abs(composite - expected).max() < 3


def test_nothing_is_overwritten_without_force(
    still: tuple[Path, Path], weights: str, capsys: pytest.CaptureFixture[str]
):
    source, plate = still
    source.with_name("source-cutout.png").write_text("precious")
    assert matte.run(arguments(weights, source, "--plate", plate)) == 2
    assert "--force" in capsys.readouterr().err
    assert source.with_name("source-cutout.png").read_text() == "precious"
    assert matte.run(arguments(weights, source, "--plate", plate, "--force")) == 0
    assert matte.run(arguments(weights, source, "--plate", plate, "--out", plate, "--force")) == 2


def test_mistakes_are_told_before_networks_are_loaded(
    still: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source, plate = still
    (tmp_path / "text.txt").write_text("not a picture")
    picture(tmp_path / "small.png", room(36, 64))
    cases = [
        ((tmp_path / "none.png", "--plate", plate), "no file"),
        ((source, "--plate", tmp_path / "none.png"), "no file"),
        ((tmp_path / "text.txt", "--plate", plate), "neither a picture nor a video"),
        ((source, "--plate", tmp_path / "text.txt"), "neither a picture nor a video"),
        ((source, "--plate", tmp_path / "small.png"), "64x36 and the source 128x72"),
        ((source, "--plate", plate, "--backdrop", "beach"), "built-in"),
        ((source, "--plate", plate, "--out", tmp_path / "a.jpg"), "transparent"),
        ((source, "--plate", plate, "--out", tmp_path / "no" / "a.png"), "no folder"),
    ]
    for words, complaint in cases:
        assert matte.run(arguments("no-such-weights", *words)) == 2
        assert complaint in capsys.readouterr().err


def test_a_video_keeps_its_frames_times_and_sound(weights: str, tmp_path: Path):
    source = film(tmp_path / "source.mp4")
    plate = picture(tmp_path / "plate.png", room())
    out = tmp_path / "out.mp4"
    words = (source, "--plate", plate, "--backdrop", "#00b140", "--out", out)
    assert matte.run(arguments(weights, *words)) == 0
    with av.open(str(source)) as before, av.open(str(out)) as after:
        assert after.streams.video[0].codec_context.name == "h264"
        assert after.streams.video[0].average_rate == 25
        times = [
            [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
            for container in (before, after)
        ]
        assert times[1] == pytest.approx(times[0], abs=1e-3)
        assert after.streams.video[0].width == 128
    with av.open(str(source)) as before, av.open(str(out)) as after:
        packets = [
            [bytes(packet) for packet in container.demux(audio=0) if packet.size]
            for container in (before, after)
        ]
        assert packets[0] == packets[1]


@pytest.mark.parametrize(
    ("suffix", "codec", "sound"), [(".mov", "prores", "aac"), (".webm", "vp9", "opus")]
)
def test_a_transparent_video_keeps_alpha(
    weights: str, tmp_path: Path, suffix: str, codec: str, sound: str
):
    source = film(tmp_path / "source.mp4", frames=6)
    plate = picture(tmp_path / "plate.png", room())
    out = tmp_path / f"out{suffix}"
    assert matte.run(arguments(weights, source, "--plate", plate, "--out", out)) == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == codec
        assert container.streams.audio[0].codec_context.name == sound
        assert len(list(container.decode(video=0))) == 6
        if suffix == ".mov":
            assert "yuva444" in str(container.streams.video[0].codec_context.pix_fmt)
        else:
            assert container.streams.video[0].metadata.get("ALPHA_MODE", "1") == "1"


def test_the_plate_is_learned_from_a_clip(weights: str, tmp_path: Path):
    source = film(tmp_path / "source.mp4", frames=5, sound=None)
    empty = tmp_path / "empty.mp4"
    with av.open(str(empty), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        for _ in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(room(), format="rgb24")))
        container.mux(video.encode(None))
    words = (source, "--plate", empty, "--backdrop", "blur", "--alpha", tmp_path / "a.mp4")
    assert matte.run(arguments(weights, *words)) == 0
    assert (tmp_path / "source-composite.mp4").is_file()
    assert (tmp_path / "a.mp4").is_file()


def test_a_clip_in_which_someone_walks_is_no_plate(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source = film(tmp_path / "source.mp4", frames=12, sound=None)
    assert matte.run(arguments(weights, source, "--plate", film(tmp_path / "busy.mp4"))) == 2
    assert "moved" in capsys.readouterr().err


def test_a_video_of_another_size_leaves_no_half_result(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source = film(tmp_path / "source.mp4", frames=3, sound=None)
    plate = picture(tmp_path / "plate.png", room(36, 64))
    words = (source, "--plate", plate, "--backdrop", "#000000")
    assert matte.run(arguments(weights, *words)) == 2
    assert "64x36" in capsys.readouterr().err
    assert not (tmp_path / "source-composite.mp4").exists()


def test_backdrops_are_read_from_words(tmp_path: Path):
    path = picture(tmp_path / "beach.png", room())
    assert matte.parse_backdrop(None) == Transparent()
    assert matte.parse_backdrop("#0a0B0c") == Colour(10, 11, 12)
    assert matte.parse_backdrop("blur") == Blur()
    assert matte.parse_backdrop("blur:7.5") == Blur(7.5)
    assert isinstance(matte.parse_backdrop(str(path)), Picture)
    for wrong in ("#12345", "blur:x", "blur:1.2.3", "blur:2", "blur:201", "nothing.png"):
        with pytest.raises(PictureError):
            matte.parse_backdrop(wrong)
