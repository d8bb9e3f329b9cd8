"""The codecs behind our encoders: how each is opened and how it is told its bit rate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

TIME_BASE: Final = Fraction(1, 90_000)
NEVER: Final = 1_000_000
"""Frames between key frames that nobody asked for: who joins, or moves to another rate, asks."""
PIXELS_PER_THREAD: Final = 40_000_000
"""Per second: 720p30 needs one thread, 1080p60 four."""
MOST_THREADS: Final = 8
SLOWEST: Final = 10
"""Frames per second below which the bit rate per frame rises no further."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a codec is opened for; another shape needs another codec, and a key frame."""

    width: int
    height: int
    fps: int
    """Rounded up, see `rounded_up`."""
    speed: int = 0
    """Index into the compressor's speeds."""


class Compressor(Protocol):
    """One way to turn frames into bits."""

    speeds: int
    """How many it can work at."""

    def open(self, shape: Shape, ceiling: int, cores: int) -> VideoCodecContext:
        """A codec for up to `ceiling` bits per second; raises `av.FFmpegError`."""

    def steer(
        self, codec: VideoCodecContext, frame: VideoFrame, bitrate: int, interval: float
    ) -> None:
        """Make the frame, `interval` seconds after the last one, cost what `bitrate` allows."""


def rounded_up(fps: float) -> int:
    """30, 60 or 120: levels and threads are chosen for these."""
    return 30 if fps < 33 else 60 if fps < 66 else 120


def threads(shape: Shape, cores: int) -> int:
    """As many as the pixels need, at most half of the cores."""
    needed = -(-shape.width * shape.height * shape.fps // PIXELS_PER_THREAD)
    return max(1, min(needed, cores // 2, MOST_THREADS))


def level(shape: Shape, bitrate: int) -> str:
    """The lowest H.264 level that allows the stream (ITU-T H.264, table A-1; two frames kept)."""
    blocks = -(-shape.width // 16) * -(-shape.height // 16)
    for name, per_second, per_frame, kilobits, kept in LEVELS:
        if (
            blocks <= per_frame
            and blocks * shape.fps <= per_second
            and bitrate <= 1000 * kilobits
            and 2 * blocks <= kept
        ):
            return name
    return LEVELS[-1][0]


LEVELS: Final = (
    ("1.3", 11_880, 396, 768, 2_376),
    ("2", 11_880, 396, 2_000, 2_376),
    ("2.1", 19_800, 792, 4_000, 4_752),
    ("2.2", 20_250, 1_620, 4_000, 8_100),
    ("3", 40_500, 1_620, 10_000, 8_100),
    ("3.1", 108_000, 3_600, 14_000, 18_000),
    ("3.2", 216_000, 5_120, 20_000, 20_480),
    ("4", 245_760, 8_192, 20_000, 32_768),
    ("4.2", 522_240, 8_704, 50_000, 34_816),
    ("5", 589_824, 22_080, 135_000, 110_400),
    ("5.1", 983_040, 36_864, 240_000, 184_320),
    ("5.2", 2_073_600, 36_864, 240_000, 184_320),
)
"""Name; macroblocks per second and per frame; kbit/s; macroblocks of the decoded picture buffer.
4.1 and the lowest ones, which differ in nothing that matters here, are left out."""


def _video(name: str, shape: Shape, cores: int) -> VideoCodecContext:
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = shape.width, shape.height, "yuv420p"
    codec.time_base = TIME_BASE
    codec.gop_size = NEVER
    codec.thread_count = threads(shape, cores)
    return codec


def _spend(codec: VideoCodecContext, bitrate: int, declared: int, interval: float) -> None:
    """Give a codec that believes in `declared` frames a second what a frame of `interval` may cost;
    it is reconfigured on changes beyond 3 %."""
    wanted = int(bitrate * declared * min(interval, 1 / SLOWEST))
    if abs(wanted - (codec.bit_rate or 0)) > 0.03 * wanted:
        codec.bit_rate = wanted


class X264:
    """H.264 on the CPU.

    x264 counts frames, not time: `tune=zerolatency` makes it take every frame for 1/framerate long,
    which is why aiortc's encoder, declaring 30, spends twice the bits at 60 fps; its other mode,
    `force-cfr=0`, holds back one frame. So the bit rate is set per frame from the real interval.
    FFmpeg hands a changed `bit_rate` to an open x264, which heeds it only if it was opened with a
    constant rate, and only up to `maxrate`: hence it is opened for the ceiling of the slowest video
    and lowered at once; without `maxrate`, or opened below it, a new `bit_rate` changes nothing at
    all (PyAV 18.1; `test_transport_encoders.py` holds every rate to it).
    """

    PRESETS: Final = ("superfast", "ultrafast")
    DECLARED: Final = 30
    """Frames per second that x264 believes in."""
    BUFFER: Final = 0.12
    """Seconds at the ceiling that a burst may take: a key frame of 120 kB at 8 Mbit/s."""

    def __init__(self) -> None:
        self.speeds = len(self.PRESETS)

    def open(self, shape: Shape, ceiling: int, cores: int) -> VideoCodecContext:
        """See `Compressor`."""
        codec = _video("libx264", shape, cores)
        highest = ceiling * self.DECLARED // SLOWEST
        codec.framerate = Fraction(self.DECLARED)
        codec.bit_rate = highest
        codec.profile = "Baseline"
        codec.max_b_frames = 0
        codec.qmin = 10
        codec.options = {
            "preset": self.PRESETS[shape.speed],
            "tune": "zerolatency",
            "level": level(shape, ceiling),
            "maxrate": str(highest),
            "bufsize": str(max(int(self.BUFFER * ceiling), 500_000)),
            "forced-idr": "1",
            # A new backdrop is no reason for a key frame: blocks can be coded anew one by one.
            "sc_threshold": "0",
        }
        codec.open()
        return codec

    def steer(
        self, codec: VideoCodecContext, frame: VideoFrame, bitrate: int, interval: float
    ) -> None:
        """See `Compressor`; x264 is reconfigured, which costs nothing."""
        _spend(codec, bitrate, self.DECLARED, interval)


class Nvenc:
    """H.264 on an NVIDIA card that has an encoder; H100 and A100 have none."""

    speeds = 1
    DECLARED: Final = 60

    def open(self, shape: Shape, ceiling: int, cores: int) -> VideoCodecContext:
        """See `Compressor`."""
        codec = _video("h264_nvenc", shape, cores)
        codec.framerate = Fraction(self.DECLARED)
        codec.bit_rate = ceiling
        codec.max_b_frames = 0
        codec.options = {
            "preset": "p3",
            # Ultra low latency: no look-ahead, and with the two below no frame is held back.
            "tune": "ull",
            "zerolatency": "1",
            "delay": "0",
            "rc": "cbr",
            "profile": "baseline",
            "level": level(shape, ceiling),
            "forced-idr": "1",
        }
        codec.open()
        return codec

    def steer(
        self, codec: VideoCodecContext, frame: VideoFrame, bitrate: int, interval: float
    ) -> None:
        """See `Compressor`; FFmpeg reconfigures NVENC when `bit_rate` changes."""
        _spend(codec, bitrate, self.DECLARED, interval)


def has_nvenc(compressor: Compressor | None = None) -> bool:
    """Whether a frame can be encoded by NVENC here: opened once, as nothing else tells."""
    nvenc = compressor or Nvenc()
    try:
        codec = nvenc.open(Shape(640, 360, 30), 1_000_000, 1)
        frame = VideoFrame(640, 360, "yuv420p")
        frame.pts, frame.time_base = 0, TIME_BASE
        return bool(codec.encode(frame))
    except (av.FFmpegError, ValueError):  # ValueError: this FFmpeg was built without it
        return False


class LibVpx:
    """VP8 on the CPU.

    libvpx takes no new bit rate through FFmpeg, and a new codec means a key frame. But it reads
    time from the frames: its clock is made to run faster when more bits may be spent, slower when
    fewer, so that its constant bits per second of that time are the wanted ones of ours
    (`test_transport_encoders.py` holds every rate to it).
    """

    CPU_USED: Final = ("-6", "-9", "-13")
    NOMINAL: Final = 2_000_000
    """Bits per second of libvpx's own time."""

    def __init__(self) -> None:
        self.speeds = len(self.CPU_USED)
        self._clock = 0.0

    def open(self, shape: Shape, ceiling: int, cores: int) -> VideoCodecContext:
        """See `Compressor`."""
        codec = _video("libvpx", shape, cores)
        codec.bit_rate = self.NOMINAL
        codec.qmin, codec.qmax = 2, 56
        codec.options = {
            "deadline": "realtime",
            # Negative: this speed, instead of one that libvpx picks by its own clock, see above.
            "cpu-used": self.CPU_USED[shape.speed],
            "lag-in-frames": "0",
            # Equal limits mean a constant rate.
            "minrate": str(self.NOMINAL),
            "maxrate": str(self.NOMINAL),
            "bufsize": str(self.NOMINAL // 2),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            # Per cent of an average frame: a key frame takes half a second's bits at 30 fps.
            "max-intra-rate": "1500",
            "static-thresh": "1",
            # Receivers decode the partitions in parallel.
            "slices": str(1 if codec.thread_count == 1 else 4),
            "keyint_min": str(NEVER),
        }
        codec.open()
        return codec

    def steer(
        self, codec: VideoCodecContext, frame: VideoFrame, bitrate: int, interval: float
    ) -> None:
        """See `Compressor`; rewrites the frame's timestamp."""
        self._clock += interval * bitrate / self.NOMINAL
        frame.pts, frame.time_base = round(self._clock / TIME_BASE), TIME_BASE
