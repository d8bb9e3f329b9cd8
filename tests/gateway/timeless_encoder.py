"""Encoders that no machine is too slow for, and what they make."""

from gateway.transport.encoders import H264, Downlink, VideoEncoder, Vp8

DOWNLINK = Downlink(1_000_000, 300_000, 8_000_000)


class Still:
    """A clock that stands: encoding takes no time, so that the speed never changes."""

    def __call__(self) -> float:
        return 0.0


def made(kind: type[Vp8] | type[H264], downlink: Downlink = DOWNLINK) -> VideoEncoder:
    encoder = kind(downlink)
    encoder._clock = Still()
    encoder._cores = 1
    return encoder


def is_key(kind: type, payloads: list[bytes]) -> bool:
    if kind is Vp8:
        return not payloads[0][4] & 1
    return payloads[0][0] & 0x1F == 24 or payloads[0][0] & 0x1F == 7
