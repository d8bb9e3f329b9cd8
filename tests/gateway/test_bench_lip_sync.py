"""Beeps are heard when they came, and told by how much they missed their picture."""

import asyncio
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiortc.codecs.opus import OpusEncoder
from av import AudioFrame

from gateway.bench.beep import PACKET, RATE, Ear, Microphone, beeps
from gateway.bench.camera import Camera
from gateway.bench.lip_sync import lip_sync
from gateway.bench.record import Record
from gateway.bench.report import table
from gateway.bench.stream_command import misses
from gateway.transport.sound import Sound
from tests.gateway.recorded import OPUS
from tests.gateway.test_bench_report import report


def camera(began: float) -> Any:
    return SimpleNamespace(begin=lambda: began)


def test_every_second_begins_with_a_beep_of_a_tenth():
    loud = np.abs(beeps(0, 3 * RATE).astype(int)) > 1000
    for second in range(3):
        of_second = loud[second * RATE : (second + 1) * RATE]
        assert of_second[:200].any()
        assert not of_second[RATE // 10 :].any()
    assert (beeps(RATE - 10, 100) == beeps(0, 3 * RATE)[RATE - 10 : RATE + 90]).all()


async def test_the_microphone_gives_what_was_heard_up_to_now():
    clock = SimpleNamespace(now=50.05)
    microphone = Microphone(camera(50.0), lambda: clock.now)
    first, second = await microphone.recv(), await microphone.recv()
    assert [(each.pts, each.samples) for each in (first, second)] == [(0, PACKET), (PACKET, PACKET)]
    assert microphone.captured(1.5) == 51.5
    third = asyncio.ensure_future(microphone.recv())
    await asyncio.sleep(0)
    assert not third.done(), "its last sample comes at 50.06"
    assert (await third).pts == 2 * PACKET


def test_a_beep_is_heard_when_its_first_sample_can_be_played():
    ear, encoder = Ear(camera(200.0)), OpusEncoder()
    late = 0.25
    for number in range(3 * RATE // PACKET):
        samples = beeps(number * PACKET, PACKET)
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * PACKET, Fraction(1, RATE)
        payloads, pts = encoder.encode(frame)
        for payload in payloads:
            sound = Sound(payload, pts, OPUS)
            ear.take(sound, 200.0 + pts / RATE + late, lambda timestamp: 199.0 + timestamp)
    # Opus looks 6.5 ms ahead (RFC 7587, 4.1 and the encoder's 312 samples).
    assert [second for second, _, _ in ear.heard] == [1, 2]
    for second, at, captured in ear.heard:
        assert at == pytest.approx(200.0 + second + late + 0.0065, abs=0.002)
        assert captured == pytest.approx(199.0 + second + 0.0065, abs=0.002)


async def test_the_camera_and_its_microphone_begin_together():
    shown = Camera(None, fps=10, clock=lambda: 7.0)  # type: ignore[arg-type]  # shows nothing here
    assert (shown.begin(), shown.captured(2.0)) == (7.0, 9.0)


def record(late: float, picture: float = 0.1, reported: float = 0.02) -> Record:
    """Six seconds of which every picture comes after `picture` and every beep after `late`."""
    handed = tuple((n, 100 + n / 10) for n in range(60))
    return Record(
        began=100.0,
        seconds=6.0,
        handed=handed,
        seen=tuple((n, at + picture) for n, at in handed),
        skipped=0,
        unread=0,
        repeated=0,
        traffic=(),
        lost_packets=0,
        codec="VP8",
        sizes=(),
        dated=tuple(at - 3.0 for _, at in handed),
        camera_began=100.0,
        heard=tuple((n, 100 + n + late, 97 + n + reported) for n in range(1, 6)),
    )


def test_lip_sync_is_the_beeps_way_less_the_pictures():
    found = lip_sync([record(0.13), record(0.09)])
    assert found is not None
    assert (found.p50, found.p95, found.beeps) == (10.0, 30.0, 10)
    assert found.reported == 20.0
    assert lip_sync([replace(record(0.13), heard=())]) is None


def test_beeps_whose_pictures_were_all_lost_say_nothing():
    blind = record(0.13)
    seen = [pair for pair in zip(blind.seen, blind.dated, strict=True) if pair[0][0] < 25]
    frames, dated = zip(*seen, strict=True)
    found = lip_sync([replace(blind, seen=frames, dated=dated)])
    assert found is not None
    assert found.beeps == 2


def test_it_is_told_and_can_be_expected():
    told = report(0.05)
    sync = lip_sync([record(0.13)])
    stream = replace(told.streams[0], lip_sync=sync)
    told = replace(told, streams=[stream], total=stream, direct_sync=lip_sync([record(0.11)]))
    shown = table(told)
    assert "Sound came +30.0 ms after its picture (median of 5 beeps), 95 % within 30.0 ms" in shown
    assert "without a gateway +10.0 and 10.0 ms" in shown
    assert "are left +20.0 ms" in shown
    assert told.as_json()["total"]["lip_sync_ms"]["p50"] == 30.0
    assert misses(told, [("lip-sync", 40.0)]) == []
    assert misses(told, [("lip-sync", 20.0)]) == ["stream 1: 30.0 ms apart, expected 20 ms"]
    assert "no beep was heard" in misses(report(0.05), [("lip-sync", 40.0)])[0]
