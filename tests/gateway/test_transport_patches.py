"""What `gateway.transport` replaces is there and used as it believes; else aiortc has changed."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import aioice.ice
import aiortc.jitterbuffer
import aiortc.rtcdtlstransport
import aiortc.rtcrtpreceiver
import aiortc.rtcrtpsender
import pytest
from aioice import Connection as IceConnection
from aiortc import MediaStreamError, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av.frame import Frame

import gateway.transport
from gateway.transport import hidden
from gateway.transport.connection import Connection
from gateway.transport.encoded import EncodedTrack
from gateway.transport.encoders import VideoEncoder, Vp8
from gateway.transport.encoding import EncoderLoop, Encoding
from gateway.transport.history import History
from tests.gateway.loopback import TUNING


def test_aiortc_and_aioice_are_the_versions_this_was_written_against():
    assert version("aiortc").startswith("1.16.")
    assert version("aioice").startswith("0.13.")


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            RTCRtpReceiver,
            [
                "codecs",
                "decoder_error",
                "decoder_queue",
                "decoder_thread",
                "jitter_buffer",
                "nack_generator",
                "remote_bitrate_estimator",
                "rtcp_task",
                "rtx_ssrc",
                "started",
                "stop_decoder",
            ],
        ),
        (
            RTCRtpSender,
            ["encoder", "force_keyframe", "loop", "lsr", "rtp_history", "rtp_timestamp"],
        ),
        (RTCPeerConnection, ["certificates", "createTransceiver", "createDtlsTransport"]),
    ],
)
async def test_the_hidden_names_are_there(owner: type, names: list[str]):
    connection = RTCPeerConnection()
    transceiver = connection.addTransceiver("video")
    found = {
        RTCRtpReceiver: transceiver.receiver,
        RTCRtpSender: transceiver.sender,
        RTCPeerConnection: connection,
    }[owner]
    for name in names:
        hidden.read(found, owner, name)
    await connection.close()


def test_a_name_that_is_gone_is_told_loudly():
    with pytest.raises(hidden.TransportChanged, match=r"Vp8Encoder\.__nonsense"):
        hidden.write(Vp8Encoder(), Vp8Encoder, "nonsense", 1)
    with pytest.raises(hidden.TransportChanged, match=r"Vp8Encoder\._nonsense"):
        hidden.replace(Vp8Encoder(), "_nonsense", print)


def uses(function: Callable[..., object], attribute: str) -> set[str]:
    """What is done with `self.<attribute>`: names read from it, `[]` for items, `=` for itself."""
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Attribute) and _is(node.value, attribute):
            found.add(node.attr)
        if isinstance(node, ast.Subscript) and _is(node.value, attribute):
            found.add("[]")
        if isinstance(node, ast.Assign) and any(_is(target, attribute) for target in node.targets):
            found.add("=")
    return found


def _is(node: ast.AST, attribute: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute


@pytest.mark.parametrize(
    ("owner", "attribute", "expected"),
    [
        (RTCRtpReceiver, "__jitter_buffer", {"=", "add"}),
        (RTCRtpReceiver, "__nack_generator", {"=", "add", "missing"}),
        (RTCRtpReceiver, "__rtx_ssrc", {"=", "[]", "get"}),
        (RTCRtpReceiver, "__decoder_queue", {"put"}),
        (RTCRtpSender, "__rtp_history", {"[]", "get"}),
        (RTCRtpSender, "__loop", {"=", "run_in_executor"}),
        (RTCRtpSender, "__encoder", {"=", "encode", "pack", "target_bitrate"}),
    ],
)
def test_aiortc_does_with_what_is_replaced_what_the_replacement_can(
    owner: type, attribute: str, expected: set[str]
):
    assert uses(owner, attribute) <= expected
    assert uses(owner, attribute) & expected


def order(function: Callable[..., object], *words: str) -> None:
    source = inspect.getsource(function)
    places = [source.index(word) for word in words]
    assert places == sorted(places)


def test_a_packet_is_noted_before_its_payload_is_read_and_taken_afterwards():
    order(
        RTCRtpReceiver._handle_rtp_packet,
        "unwrap_rtx(",
        "__nack_generator.add(",
        "depayload(",
        "__jitter_buffer.add(",
    )


def test_a_retransmission_looks_the_packet_up_before_it_awaits():
    order(RTCRtpSender._retransmit, "__rtp_history.get(", "await ")


def test_what_is_no_frame_is_packed_and_requests_for_key_frames_go_where_we_take_them():
    order(RTCRtpSender._next_encoded_frame, "isinstance(data, Frame)", "else:", ".pack(data)")
    order(RTCRtpSender._handle_rtcp_packet, "RTCP_PSFB_PLI", "self._send_keyframe()")


async def test_a_track_with_encoded_frames_brings_the_senders_encoder():
    connection = Connection(TUNING)
    viewer = Announced()
    transceiver = connection.addTransceiver(viewer, "sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    connection._choose_encoder(transceiver)
    assert hidden.read(transceiver.sender, RTCRtpSender, "encoder") is viewer.side
    transceiver.sender._send_keyframe()
    assert viewer.asked == 1
    await connection.close()


class Announced(EncodedTrack):
    """Remembers what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.side: object = None
        self.asked = 0

    def agree(self, codec: str) -> Vp8:
        self.side = Vp8(TUNING.downlink)
        return self.side

    def need_key_frame(self) -> None:
        self.asked += 1

    async def recv(self) -> Frame:
        raise MediaStreamError


def test_a_receiver_begins_with_what_ours_of_sound_begins_with():
    begun = set(re.findall(r"self\.(_\w+) =", inspect.getsource(RTCRtpReceiver.receive)))
    assert begun == {"__decoder_thread", "__rtcp_task", "__started"}
    order(RTCRtpReceiver.receive, "__codecs[", "__decoder_thread =", "_register_rtp_receiver(")
    assert "prefetch=4" in inspect.getsource(RTCRtpReceiver.__init__)


def test_a_sender_asks_for_a_frame_when_the_one_before_has_left():
    order(
        RTCRtpSender._run_rtp,
        "_next_encoded_frame(",
        "uint32_add(timestamp_origin, enc_frame.timestamp)",
        "_send_rtp(",
        "__rtp_timestamp = packet.timestamp",
    )
    # It reports what was captured as captured when it left; ours is corrected on its way out.
    order(RTCRtpSender._run_rtcp, "ntp_timestamp=self.__ntp_timestamp", "__lsr =", "_send_rtcp(")
    assert "audio_level is not None" in inspect.getsource(RTCRtpSender._run_rtp)


def test_aiortcs_senders_still_need_what_we_change():
    assert aiortc.rtcrtpsender.RTP_HISTORY_SIZE == 128
    assert "run_in_executor" in uses(RTCRtpSender._next_encoded_frame, "__loop")
    assert Vp8Encoder().target_bitrate < 1_000_000
    assert H264Encoder().target_bitrate <= 1_000_000


def test_its_packets_are_made_as_ours_are():
    assert Vp8Encoder._packetize(b"x" * 1400, 5)[0][:4] == b"\x90\x80\x80\x05"
    assert list(H264Encoder._split_bitstream(b"\0\0\0\1\x67a\0\0\1\x65b")) == [b"\x67a", b"\x65b"]
    assert H264Encoder._packetize([b"\x65b"]) == [b"\x65b"]


def test_what_proves_consent_was_authenticated_where_it_is_looked_at():
    order(
        aiortc.rtcdtlstransport.RTCDtlsTransport._recv_next,
        "self.transport._recv()",
        ".unprotect_rtcp(data)",
        "self._handle_rtcp_data(data)",
        ".unprotect(data)",
        "self._handle_rtp_data(data",
    )
    order(IceConnection.request_received, "check_message_integrity(", "self.check_incoming(")
    assert "self.query_consent()" in inspect.getsource(IceConnection.connect)
    order(IceConnection.query_consent, "_query_consent_task = None", "self.close()")


async def test_sockets_are_where_the_buffers_are_enlarged():
    ice = IceConnection(ice_controlling=True)
    await ice.gather_candidates()
    for protocol in ice._protocols:
        assert protocol.transport.get_extra_info("socket") is not None
    await ice.close()
    assert callable(aioice.ice.get_host_addresses)


async def test_every_change_is_on_a_connections_own_objects():
    encoding = Encoding(2)
    tuned = Connection(replace(TUNING, encoding=encoding))
    transceiver = tuned.addTransceiver("video")
    sender, receiver = transceiver.sender, transceiver.receiver
    assert isinstance(hidden.read(sender, RTCRtpSender, "rtp_history"), History)
    assert isinstance(hidden.read(sender, RTCRtpSender, "loop"), EncoderLoop)
    assert not isinstance(
        hidden.read(receiver, RTCRtpReceiver, "jitter_buffer"), aiortc.jitterbuffer.JitterBuffer
    )
    plain = RTCPeerConnection()
    untouched = plain.addTransceiver("video")
    assert hidden.read(untouched.sender, RTCRtpSender, "rtp_history") == {}
    assert isinstance(
        hidden.read(untouched.receiver, RTCRtpReceiver, "jitter_buffer"),
        aiortc.jitterbuffer.JitterBuffer,
    )
    assert "_retransmit" not in vars(untouched.sender)
    await plain.close()
    await tuned.close()
    await encoding.close()


async def test_packets_say_their_layer_once_one_was_chosen():
    connection = Connection(TUNING)
    receiver = connection.addTransceiver("video").receiver
    names = receiver.transport._rtp_header_extensions_map
    one_byte_header, rid = 0xBEDE, b"\xa0f\x00\x00"
    assert names.get(one_byte_header, rid).rtp_stream_id is None
    connection.choose_layer("f", 10)
    assert names.get(one_byte_header, rid).rtp_stream_id == "f"
    await connection.close()


def test_every_file_that_changes_aiortc_is_in_the_packages_table():
    table = gateway.transport.__doc__ or ""
    for path in Path(inspect.getfile(gateway.transport)).parent.glob("*.py"):
        if path.stem not in ("__init__", "hidden"):
            assert f"`{path.stem}`" in table, path.stem


def test_our_encoders_are_encoders_of_aiortc():
    assert {"encode", "pack"} <= set(vars(VideoEncoder))
