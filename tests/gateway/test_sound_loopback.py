"""Sound through the gateway over real connections."""

import asyncio
import itertools
import re
import threading
from typing import Any

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from av import VideoFrame

from gateway.capture import Timeline
from gateway.matting import ScriptedEngine
from gateway.transport import hidden
from gateway.transport.connection import Connection
from gateway.transport.sound import Sound, SoundDecoder
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING, Client, running, sounding, until
from tests.gateway.recorded import RecordedMicrophone
from tests.gateway.tone import Tone

DARKEST, STEP, NUMBERS = 145, 4, 25
"""Luma of the number 0, from number to number, and how many there are."""


def steps(sounds: list[Sound]) -> list[int]:
    return [after.pts - before.pts for before, after in itertools.pairwise(sounds)]


def number_of(sound: Sound) -> int:
    """See `tests.gateway.recorded.numbered`."""
    return int.from_bytes(sound.payload[-9:-5], "big")


async def test_opus_passes_unchanged_to_watchers_and_back_and_nobody_decodes_it(tmp_path):
    async with running(tmp_path) as gateway:
        page, watcher = gateway.client(), gateway.client()
        microphone = RecordedMicrophone()
        await page.publish(microphone=microphone)
        await page.video()
        await watcher.watch(page.stream, audio=True)
        for client in (page, watcher):
            await until(lambda client=client: len(client.sound.sounds) >= 25, what="sound")
        for client in (page, watcher):
            got = client.sound.sounds
            sent = [microphone.sent[number_of(each)] for each in got]
            assert [each.payload for each in got] == [each.payload for each in sent]
            # Pauses and packets of 10 to 60 ms are where they were.
            assert steps(got) == steps(sent)
            assert [each.level for each in got] == [each.level for each in sent]
        assert not [t.name for t in threading.enumerate() if t.name.startswith("audio")]
        for session in gateway.worker._sessions.values():
            for transceiver in session._peer._connection.getTransceivers():
                if transceiver.kind == "audio":
                    sender, receiver = transceiver.sender, transceiver.receiver
                    assert hidden.read(sender, RTCRtpSender, "encoder") is None
                    assert sender._next_encoded_frame.__self__._next.__self__._encoder is None
                    assert hidden.read(receiver, RTCRtpReceiver, "decoder_thread") is None


@pytest.mark.parametrize(("spoken", "heard"), [("pcmu", "opus"), ("opus", "pcma")])
async def test_who_takes_another_codec_gets_the_sound_encoded_anew(
    tmp_path, spoken: str, heard: str
):
    async with running(tmp_path) as gateway:
        page, watcher = gateway.client(), gateway.client()
        page.connection.addTransceiver(GreyCamera(), "sendonly")
        microphone = page.connection.addTransceiver(Tone(), "sendonly")
        microphone.setCodecPreferences(sounding(spoken))
        await page.accept(await page.send("/whip", await page._offer()))
        stream = gateway.worker.stream(page.stream)
        await until(lambda: stream.stats.frames_in > 0, what="the stream is live")
        await watcher.watch(page.stream, audio=True, sound=heard)
        await until(lambda: len(watcher.sound.sounds) >= 30, what="sound")
        got = watcher.sound.sounds
        assert {each.codec.name.lower() for each in got} == {heard}
        # A slow machine may have left out packets, as gaps.
        assert all(step > 0 and step % 960 == 0 for step in steps(got))
        decoder = SoundDecoder(got[0].codec)
        samples = np.concatenate([f.to_ndarray()[0] for s in got for f in decoder.decode(s)])
        # 440 Hz, whatever the codecs.
        rate, channels = (48000, 2) if heard == "opus" else (8000, 1)
        tail = samples[-rate * channels // 4 :: channels].astype(float)
        spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail))))
        assert spectrum.argmax() * rate / len(tail) == pytest.approx(440, abs=10)


class DatedCamera(GreyCamera):
    """Says when its frames were captured, and whoever stands there wears the frame's number."""

    def captured(self, timestamp: float) -> float | None:
        return None if self._began is None else self._began + timestamp

    async def recv(self) -> VideoFrame:
        self.bright = DARKEST + STEP * (self.sent % NUMBERS)
        return await super().recv()


def reported(track: Any) -> bool:
    """Whether the sender has said when this was captured."""
    timeline: Timeline = track.timeline
    return timeline._reported is not None


def tracks(connection: Connection) -> dict[str, Any]:
    return {receiver.track.kind: receiver.track for receiver in connection.getReceivers()}


async def test_what_senders_say_about_capture_reaches_the_other_end():
    camera, microphone = DatedCamera(), RecordedMicrophone(slow=0.35)
    sender, receiver = Connection(TUNING), Connection(TUNING)
    sender.addTransceiver(camera, "sendonly")
    sender.addTransceiver(microphone, "sendonly")
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    answer = receiver.localDescription
    await sender.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
    got = tracks(receiver)
    # The first of each is zero here and there.
    await asyncio.gather(*(track.recv() for track in got.values()))
    await until(lambda: all(reported(track) for track in got.values()), what="reports")
    found = got["video"].timeline.at(0.0) - got["audio"].timeline.at(0.0)
    assert found == pytest.approx(camera.captured(0.0) - microphone.captured(0.0), abs=0.1)
    # The round trip is still known, by the time in the report that came back.
    video = sender.getSenders()[0]
    await until(lambda: hidden.read(video, RTCRtpSender, "rtt") is not None, what="a round trip")
    await sender.close()
    await receiver.close()
    await receiver.join_decoders()


async def seen(track: MediaStreamTrack) -> tuple[float, int]:
    """Seconds of the track's time, and the number that somebody in the picture wears then."""
    while True:
        frame: Any = await track.recv()
        luma = frame.to_ndarray(format="yuv420p")[: frame.height]
        h, w = luma.shape[0] // 2, luma.shape[1] // 2
        shade = float(luma[h - 10 : h + 10, w - 10 : w + 10].mean())
        if shade > DARKEST - STEP / 2:
            return float(frame.pts * frame.time_base), round((shade - DARKEST) / STEP)


class Quiet(Client):
    """Leaves its tracks to the test."""

    def _receive(self, track: MediaStreamTrack) -> None:
        pass


async def test_lips_and_voice_are_reported_to_watchers_as_they_were_captured(tmp_path):
    # The microphone is slow: what it gives was captured 0.4 s before the picture of that moment.
    camera, microphone = DatedCamera(), RecordedMicrophone(slow=0.4)
    # So is matting: reports of when things were sent would be out by as much.
    engine = ScriptedEngine(delay=0.2)
    async with running(tmp_path, engine) as gateway:
        page, watcher = gateway.client(), Quiet(gateway.http)
        gateway.clients.append(watcher)
        await page.publish(camera=camera, microphone=microphone)
        await page.capture()
        await page.colour("#000000")
        await watcher.watch(page.stream, audio=True)
        answer = watcher.answer
        got = tracks(watcher.connection)
        # Browsers bring together what is of one stream and one CNAME.
        assert len(set(re.findall(r"a=msid:(\S+)", answer))) == 1
        assert len(set(re.findall(r"cname:(\S+)", answer))) == 1
        heard: Any = await got["audio"].recv()
        sent = microphone.sent[number_of(heard)]
        camera.person = True
        shown, number = await seen(got["video"])
        published = tracks(gateway.worker._publications._feeders[page.stream]._peer._connection)
        every = [*got.values(), *published.values()]
        await until(lambda: all(reported(track) for track in every), what="reports")
        picture = got["video"].timeline.at(shown) - camera.captured(number / camera.fps)
        sound = got["audio"].timeline.at(heard.pts / 48000) - microphone.captured(sent.pts / 48000)
        # The numbers begin anew after less than a second.
        turn = NUMBERS / camera.fps
        # The picture is known to be late, so that the sound waits for it.
        (session,) = gateway.worker.watchers(gateway.worker.stream(page.stream))
        assert session._peer.lag() > engine.delay / 4
        assert (picture - sound + turn / 2) % turn - turn / 2 == pytest.approx(0, abs=0.1)
