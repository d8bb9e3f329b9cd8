import pytest

from gateway.sdp import BadOffer, Reach, candidate_address, read_fragment, read_offer

HEAD = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 1 2\n"
TRANSPORT = "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=fingerprint:sha-256 AA\na=setup:actpass\n"  # noqa: E501
AUDIO = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=sendrecv\na=rtcp-mux\n{TRANSPORT}"
VIDEO = f"m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=sendrecv\na=rtcp-mux\n{TRANSPORT}"
DATA = f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\n{TRANSPORT}"
OFFER = HEAD + AUDIO + VIDEO + DATA


def read(text: str, *, loopback: bool = False, most: int = 32):  # type: ignore[no-untyped-def]
    return read_offer(text, reach=Reach(loopback=loopback), max_candidates=most)


def test_an_offer_is_read_section_by_section():
    offer = read(OFFER.replace("\n", "\r\n"))
    assert [section.kind for section in offer.sections] == ["audio", "video", "application"]
    assert offer.has_data_channel
    assert offer.section("video").direction == "sendrecv"
    assert offer.fragment_name == "abcd"
    assert offer.text() == OFFER.replace("\n", "\r\n")


def test_a_section_without_direction_is_sendrecv():
    assert read(OFFER.replace("a=sendrecv\n", "")).section("audio").direction == "sendrecv"


def test_a_section_with_port_0_is_meant_if_it_is_only_bundled():
    closed = OFFER.replace("m=video 9", "m=video 0")
    assert read(closed).section("video").direction == "inactive"
    bundled = closed.replace("a=mid:1\n", "a=mid:1\na=bundle-only\n")
    assert read(bundled).section("video").direction == "sendrecv"


def test_transport_attributes_may_stand_at_session_level():
    text = (HEAD + TRANSPORT + AUDIO + VIDEO).replace(AUDIO, AUDIO.replace(TRANSPORT, ""))
    assert read(text).fragment_name == "abcd"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed-sdp"),
        ("{}", "malformed-sdp"),
        (HEAD, "malformed-sdp"),
        (OFFER + "a=x:é\n", "malformed-sdp"),
        (OFFER + "a=x:\x00\n", "malformed-sdp"),
        (OFFER + "a=x:" + "y" * 5000, "malformed-sdp"),
        (OFFER.replace("a=mid:1\n", ""), "malformed-sdp"),
        (OFFER.replace("a=mid:1\n", "a=mid:0\n"), "malformed-sdp"),
        (OFFER.replace("m=video 9", "m=video nine"), "malformed-sdp"),
        (OFFER.replace("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video"), "malformed-sdp"),
        (OFFER.replace("a=fingerprint:sha-256 AA\n", ""), "malformed-sdp"),
        (OFFER.replace("a=rtcp-mux\n", ""), "no-rtcp-mux"),
        (OFFER.replace("a=group:BUNDLE 0 1 2\n", ""), "no-bundle"),
        (OFFER.replace("BUNDLE 0 1 2", "BUNDLE 0 1"), "no-bundle"),
        (OFFER.replace("a=setup:actpass", "a=setup:holdconn"), "setup"),
        (OFFER.replace("m=audio", "m=video"), "too-many-media"),
        (OFFER.replace("m=audio", "m=image"), "unsupported-media"),
    ],
)
def test_a_bad_offer_says_why(text: str, reason: str):
    with pytest.raises(BadOffer) as caught:
        read(text)
    assert caught.value.reason == reason
    assert caught.value.status in (400, 422)


def candidate(address: str, port: int = 5000, protocol: str = "udp") -> str:
    return f"a=candidate:1 1 {protocol} 2130706431 {address} {port} typ host\n"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (candidate("192.168.1.5"), True),
        (candidate("203.0.113.9"), True),
        (candidate("2001:db8::1"), True),
        (candidate("127.0.0.1"), False),
        (candidate("::1"), False),
        (candidate("169.254.169.254"), False),
        (candidate("fe80::1"), False),
        (candidate("224.0.0.251"), False),
        (candidate("0.0.0.0"), False),
        (candidate("e8a7c2f0.local"), False),
        (candidate("192.168.1.5", 9, "tcp"), False),
        (candidate("192.168.1.5", 0), False),
        ("a=candidate:1 2 udp 1 192.168.1.5 5000 typ host\n", False),
        ("a=candidate:nonsense\n", False),
    ],
)
def test_only_candidates_that_a_browser_can_be_reached_at_are_kept(line: str, kept: bool):
    text = read(OFFER + line + "a=end-of-candidates\n").text()
    assert ("a=candidate" in text) is kept
    assert "end-of-candidates" not in text


def test_loopback_candidates_are_welcome_where_the_server_is_on_loopback():
    assert "a=candidate" in read(OFFER + candidate("127.0.0.1"), loopback=True).text()


def test_too_many_candidates_are_refused_and_repeated_ones_count_once():
    many = "".join(candidate("192.0.2.1", port) for port in range(1000, 1033))
    with pytest.raises(BadOffer, match="33 candidates"):
        read(OFFER + many)
    read(OFFER + candidate("192.0.2.1") * 40)


def test_a_fragment_holds_the_candidates_of_its_section():
    fragment = read_fragment(
        "a=group:BUNDLE 0 1\r\na=ice-ufrag:abcd\r\na=ice-pwd:x\r\n"
        "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n"
        "a=candidate:1 1 udp 1 x.local 5000 typ host\r\na=end-of-candidates\r\n",
        reach=Reach(),
    )
    assert (fragment.ufrag, fragment.mid, fragment.seen) == ("abcd", "0", 2)
    assert fragment.candidates == ("1 1 udp 1 192.0.2.1 5000 typ host",)


@pytest.mark.parametrize("text", ["hello", "v=0\n", "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\n"])
def test_what_is_no_fragment_is_refused(text: str):
    with pytest.raises(BadOffer):
        read_fragment(text, reach=Reach())


def test_an_address_is_read_from_a_candidate():
    assert candidate_address("1 1 UDP 2130706431 192.0.2.1 5000 typ host") == ("192.0.2.1", 5000)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.1", True),
        ("10.0.0.1", True),
        ("2001:db8::1", True),
        ("fd00::1", True),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("fe80::1", False),
        ("224.0.0.251", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
        ("::", False),
        ("camera.local", False),
    ],
)
def test_candidates_lead_to_no_place_where_no_peer_is(address: str, kept: bool):
    assert Reach().allows(address) is kept


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_reached_where_that_is_welcome(address: str):
    assert Reach(loopback=True).allows(address)
    assert not Reach().allows(address)
