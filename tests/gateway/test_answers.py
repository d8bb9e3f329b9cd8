from gateway.answers import Bitrate, finish_answer
from gateway.sdp import Reach, read_offer
from gateway.simulcast import largest_layer
from tests.gateway.test_sdp import OFFER, VIDEO

ANSWER = """v=0
s=-
m=video 5000 UDP/TLS/RTP/SAVPF 96 97 102
a=recvonly
a=mid:1
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 packetization-mode=1;profile-level-id=42e01f
a=candidate:f 1 udp 2130706431 127.0.0.1 5000 typ host
a=candidate:f 1 udp 2130706431 10.0.0.5 5001 typ host
a=candidate:f 1 udp 2130706431 fd00::5 5002 typ host
a=end-of-candidates
a=ice-ufrag:u
a=ice-pwd:p
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:2
a=ice-ufrag:u
a=ice-pwd:p
""".replace("\n", "\r\n")
BITRATE = Bitrate(start=4000, minimum=1000, maximum=8000)
PARAMETERS = "x-google-start-bitrate=4000;x-google-min-bitrate=1000;x-google-max-bitrate=8000"


def offer(text: str = OFFER):  # type: ignore[no-untyped-def]
    return read_offer(text, reach=Reach(), max_candidates=32)


def test_what_rfc_9725_wants_is_added():
    lines = finish_answer(ANSWER, offer()).split("\r\n")
    assert lines.count("a=rtcp-mux-only") == 1
    assert lines.count("a=ice-options:trickle") == 2
    assert lines[-1] == ""


def test_chromium_is_told_where_to_start():
    lines = finish_answer(ANSWER, offer(), bitrate=BITRATE).split("\r\n")
    assert f"a=fmtp:96 {PARAMETERS}" in lines
    assert f"a=fmtp:102 packetization-mode=1;profile-level-id=42e01f;{PARAMETERS}" in lines
    assert "a=fmtp:97 apt=96" in lines


def test_an_answer_that_sends_names_no_bit_rate():
    assert "x-google" not in finish_answer(ANSWER, offer())


def test_a_public_address_stands_beside_the_local_one():
    answer = finish_answer(ANSWER, offer(), public_address="203.0.113.7")
    assert "a=candidate:fp 1 udp 2130706431 203.0.113.7 5001 typ host\r\n" in answer
    assert answer.count("203.0.113.7") == 1
    assert " 10.0.0.5 5001 " in answer


def simulcast(extra: str = "") -> str:
    layers = (
        "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n"
        f"a=rid:q send\na=rid:h send\na=rid:f send\n{extra}a=simulcast:send q;h;f\n"
    )
    return OFFER.replace(VIDEO, VIDEO + layers)


def test_of_several_layers_the_largest_is_taken():
    answer = finish_answer(ANSWER, offer(simulcast()), bitrate=BITRATE)
    assert "a=mid:1\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n" in answer
    assert "a=rid:f recv\r\na=simulcast:recv f\r\n" in answer


def largest(rids: str, *restrictions: str) -> str:
    lines = "".join(f"a=rid:{each}\n" for each in restrictions)
    text = OFFER.replace(VIDEO, f"{VIDEO}{lines}a=simulcast:send {rids}\n")
    section = offer(text).section("video")
    assert section is not None
    layer = largest_layer(section)
    assert layer is not None
    return layer.rid


def test_restrictions_say_more_than_the_order_of_the_layers():
    assert (
        largest("a;b;c", "a send max-width=1280", "b send max-width=640", "c send max-fs=99") == "a"
    )
    assert largest("a;b", "a send max-height=720;max-width=1280", "b send max-height=360") == "a"
    assert largest("a;b", "a send max-br=2500000", "b send max-br=300000") == "a"


def test_a_layer_without_restriction_is_larger_than_those_with_one():
    assert largest("a;b;c", "a send", "b send max-width=640", "c send pt=96;max-width=320") == "a"


def test_names_that_clients_agree_on_say_more_than_the_order():
    assert largest("f;h;q") == "f"
    assert largest("high;low") == "high"
    assert largest("hi;mi;lo") == "hi"
    assert largest("2;1;0") == largest("0;1;2") == "0", "OBS"


def test_otherwise_the_last_layer_is_the_largest():
    assert largest("r0;r1;r2") == "r2"
    assert largest("x,y;z,w") == "z"


def test_a_layer_that_is_paused_is_not_waited_for():
    assert largest("q;h;~f") == "h"


def test_the_extension_that_carries_the_layers_name_is_read_from_the_offer():
    section = offer(simulcast()).section("video")
    assert section is not None
    layer = largest_layer(section)
    assert layer is not None
    assert (layer.rid, layer.extension_id) == ("f", 10)


def test_an_offer_without_layers_needs_none():
    section = offer().section("video")
    assert section is not None
    assert largest_layer(section) is None
    assert "simulcast" not in finish_answer(ANSWER, offer(), bitrate=BITRATE)
