"""What is shared can be decoded by everybody, whatever they change between."""

from fractions import Fraction

import pytest
from aiortc.codecs import depayload
from aiortc.codecs.h264 import H264Decoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.renditions.ladder import HOLD
from gateway.transport.encoders import H264, Vp8
from tests.gateway.audience import DOWNLINK, HEIGHT, Sender, luma_of, stage

CODECS = {"VP8": (Vp8, Vp8Decoder), "H264": (H264, H264Decoder)}


def seen(sender: Sender, codec: str) -> list[tuple[float, int]]:
    """Mean luma and timestamp of every picture that the receiver decodes from what was sent."""
    parameters = RTCRtpCodecParameters(mimeType=f"video/{codec}", clockRate=90000)
    decode = CODECS[codec][1]().decode
    found = []
    for payloads, timestamp in sender.frames:
        data = b"".join(depayload(parameters, payload) for payload in payloads)
        found += [
            (float(picture.to_ndarray()[:HEIGHT].mean()), timestamp)
            for picture in decode(JitterFrame(data, timestamp))
        ]
    return found


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_every_watcher_decodes_every_composite_across_encoders(codec: str):
    async with stage(lambda name: CODECS[name][0](DOWNLINK)) as made:
        stays, moves = await made.enter(codec), await made.enter(codec)
        await made.show(10)
        moves.estimate(600_000)
        await made.show(20)
        late = await made.enter(codec)
        moves.estimate(3_000_000)
        made.clock.now += HOLD
        moves.estimate(3_000_000)
        await made.show(20)
        for sender, first in ((stays, 0), (moves, 0), (late, 30)):
            pictures = seen(sender, codec)
            assert len(pictures) == len(sender.frames), "nothing sent cannot be decoded"
            shown = {round(Fraction(timestamp, 3000)): luma for luma, timestamp in pictures}
            assert sorted(shown) == list(range(first, 50))
            for number, luma in shown.items():
                assert luma == pytest.approx(luma_of(number), abs=4)
