"""FFmpeg's WHIP muxer as PyAV has it: a camera of somebody who has FFmpeg and a URL.

In a process of its own: while the muxer waits for the server's answer it holds Python's lock, and
the server may be in this process.
"""

import asyncio
import contextlib
import datetime
import multiprocessing
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from numpy.typing import NDArray

Turns = tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]
"""What is shown over and over without the person, and with them: I420, (3H/2) x W each."""
STOP_SECONDS = 20


def certificate(folder: Path) -> dict[str, str]:
    """The muxer's options for a certificate of its own on the curve P-256.

    Without one, its GnuTLS makes one for which the other side's DTLS breaks off (alert 47).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = {"cert_file": folder / "camera.crt", "key_file": folder / "camera.key"}
    files["cert_file"].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files["key_file"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {option: str(path) for option, path in files.items()}


class Muxer:
    """It publishes; with `person` set, somebody is in the picture."""

    def __init__(self, process: SpawnProcess, person: Event) -> None:
        self._process = process
        self._person = person

    @property
    def person(self) -> bool:
        """Whether somebody is in the picture."""
        return self._person.is_set()

    @person.setter
    def person(self, there: bool) -> None:
        if there:
            self._person.set()
        else:
            self._person.clear()


@contextlib.asynccontextmanager
async def muxing(
    url: str, turns: Turns, folder: Path, *, fps: int = 15, token: str | None = None
) -> AsyncIterator[Muxer]:
    """Publish H.264 and a silent Opus track until the end of the block; fails if it failed."""
    options = certificate(folder) | ({"authorization": token} if token else {})
    spawn = multiprocessing.get_context("spawn")
    person, stop = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_send, args=(url, turns, options, fps, person, stop))
    process.start()
    try:
        yield Muxer(process, person)
    finally:
        stop.set()
        await asyncio.to_thread(process.join, STOP_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode == 0, f"FFmpeg's muxer failed ({process.exitcode}); see stderr"


def _send(
    url: str, turns: Turns, options: dict[str, str], fps: int, person: Event, stop: Event
) -> None:
    height, width = turns[0][0].shape
    with av.open(url, "w", format="whip", options=options) as out:
        video = out.add_stream("libx264", rate=fps)
        video.width, video.height = width, height * 2 // 3
        video.pix_fmt, video.bit_rate = "yuv420p", 2_000_000
        video.options = {
            **{"profile": "baseline", "tune": "zerolatency", "preset": "ultrafast"},
            **{"g": str(fps), "bf": "0"},
        }
        sound = out.add_stream("libopus", rate=48000, layout="stereo")
        began, sent, heard = time.monotonic(), 0, 0
        while not stop.wait(max(0.0, began + sent / fps - time.monotonic())):
            turn = turns[person.is_set()]
            frame = av.VideoFrame.from_ndarray(turn[sent % len(turn)], format="yuv420p")
            frame.pts, frame.time_base = sent, Fraction(1, fps)
            out.mux(video.encode(frame))
            sent += 1
            while heard / 48000 < sent / fps:
                silence = np.zeros((1, 2 * 960), np.int16)
                beat = av.AudioFrame.from_ndarray(silence, format="s16", layout="stereo")
                beat.sample_rate, beat.pts, beat.time_base = 48000, heard, Fraction(1, 48000)
                out.mux(sound.encode(beat))
                heard += 960
