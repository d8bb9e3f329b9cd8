"""Descriptions of servers that the gateway calls."""

import pytest

from gateway.counterpart import (
    BadAnswer,
    complete_answer,
    finish_offer,
    read_answer,
    read_counter_offer,
)
from gateway.sdp import BadOffer, Reach

HEAD = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n"
TRANSPORT = (
    "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=fingerprint:sha-256 AA\na=setup:active\n"
)
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:0\na=rtpmap:96 VP8/90000\na=rtcp-mux\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\na=rtpmap:111 opus/48000/2\na=rtcp-mux\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\n"
REACH = Reach()
OFFERED = HEAD + "a=group:BUNDLE 0 1\n" + VIDEO + "a=sendonly\n" + AUDIO + "a=sendonly\n"


def sections(text: str) -> list[list[str]]:
    return [part.split("\r\n") for part in text.split("m=")[1:]]


def test_our_offers_say_that_rtp_and_rtcp_share_a_port():
    assert finish_offer(OFFERED).count("a=rtcp-mux-only\r\n") == 2


def test_behind_nat_our_offers_name_the_outside_address_too():
    line = "a=candidate:1 1 udp 1 192.168.0.2 5000 typ host\n"
    finished = finish_offer(OFFERED + line, public_address="203.0.113.7")
    assert "203.0.113.7 5000 typ host" in finished
    assert "192.168.0.2 5000 typ host" in finished


def test_an_answer_keeps_its_direction_and_loses_candidates_that_lead_nowhere():
    answer = (
        HEAD
        + VIDEO
        + TRANSPORT
        + "a=recvonly\na=candidate:1 1 udp 1 127.0.0.1 5000 typ host\n"
        + "a=candidate:1 1 udp 1 192.0.2.7 5000 typ host\na=end-of-candidates\n"
        + AUDIO
        + TRANSPORT
    )
    video, audio = sections(read_answer(answer, OFFERED, reach=REACH))
    assert "a=recvonly" in video
    assert "a=sendrecv" in audio
    assert [line for line in video if "candidate" in line] == [
        "a=candidate:1 1 udp 1 192.0.2.7 5000 typ host"
    ]


def test_a_rejected_section_becomes_an_inactive_one_on_the_same_transport():
    answer = HEAD + "a=group:BUNDLE 0\n" + VIDEO + TRANSPORT + "m=audio 0 UDP/TLS/RTP/SAVPF 0\n"
    text = read_answer(answer, OFFERED, reach=REACH)
    _, audio = sections(text)
    assert "a=group:BUNDLE 0 1" in text
    assert {"a=inactive", "a=mid:1", "a=rtpmap:111 opus/48000/2", "a=setup:active"} <= set(audio)


def test_a_bundled_section_with_port_zero_lives():
    bundled = AUDIO.replace("m=audio 9", "m=audio 0") + "a=bundle-only\na=recvonly\n"
    answer = HEAD + VIDEO + TRANSPORT + bundled + TRANSPORT
    assert "a=recvonly" in sections(read_answer(answer, OFFERED, reach=REACH))[1]


def test_an_answer_without_mids_gets_ours():
    answer = HEAD + (VIDEO + TRANSPORT + AUDIO + TRANSPORT).replace("a=mid:0\n", "")
    assert "a=mid:0" in sections(read_answer(answer, OFFERED, reach=REACH))[0]


def test_a_direction_of_the_whole_answer_is_that_of_its_sections():
    answer = HEAD + "a=recvonly\n" + VIDEO + TRANSPORT + AUDIO + TRANSPORT
    assert "a=recvonly" in sections(read_answer(answer, OFFERED, reach=REACH))[1]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("", "no session description"),
        ("<html>404</html>", "no session description"),
        (HEAD + VIDEO + TRANSPORT, "not those of our offer"),
        (HEAD + AUDIO + TRANSPORT + VIDEO + TRANSPORT, "not those of our offer"),
        (HEAD + "m=video 0 X 96\nm=audio 0 X 111\n", "rejects all"),
        (HEAD + "a=x\n" * 40_000, "longer than"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(answer: str, complaint: str):
    with pytest.raises(BadAnswer, match=complaint):
        read_answer(answer, OFFERED, reach=REACH)


def test_a_counter_offer_is_read_without_what_nobody_can_use():
    rejected = AUDIO.replace("m=audio 9", "m=audio 0").replace("mid:1", "mid:3")
    counter = HEAD + VIDEO + TRANSPORT + "a=sendonly\n" + DATA + TRANSPORT + rejected
    offer = read_counter_offer(counter, reach=REACH)
    assert [section.kind for section in offer.sections] == ["video"]
    assert offer.sections[0].direction == "sendonly"
    assert "a=group:BUNDLE 0" in offer.text()


def test_what_was_left_out_of_a_counter_offer_is_rejected_in_our_answer():
    counter = HEAD + DATA + TRANSPORT + VIDEO + TRANSPORT
    answer = complete_answer(HEAD + VIDEO + TRANSPORT + "a=recvonly\n", counter)
    data, video = sections(answer)
    assert data[:4] == [
        "application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=mid:2",
    ]
    assert "a=recvonly" in video


def test_several_videos_may_be_offered_by_a_server():
    counter = HEAD + VIDEO + TRANSPORT + VIDEO.replace("mid:0", "mid:5") + TRANSPORT
    offer = read_counter_offer(counter, reach=REACH)
    assert [section.mid for section in offer.sections] == ["0", "5"]


def test_extensions_with_attributes_are_left_out():
    counter = HEAD + VIDEO + TRANSPORT + "a=extmap:1 urn:x attributes\na=extmap:2 urn:y\n"
    text = read_counter_offer(counter, reach=REACH).text()
    assert "urn:x" not in text
    assert "urn:y" in text


@pytest.mark.parametrize("text", ["", "{}", HEAD, HEAD + DATA + TRANSPORT, "v=0\n" * 40_000])
def test_a_counter_offer_without_media_is_refused(text: str):
    with pytest.raises(BadOffer):
        read_counter_offer(text, reach=REACH)
