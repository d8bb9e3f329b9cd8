"""What aiortc lacks or does differently: the only place that reaches into its private parts.

Written against aiortc 1.16 and aioice 0.13. Nothing is patched in their modules: every change is
made on one connection's own objects, through `hidden`, which fails loudly when a name is gone.

| file | in the place of | because |
|---|---|---|
| `connection` | the REMB estimator's first estimate | browsers stay below 0.6 Mbit/s for 12 s otherwise: it begins with what a cautious sender happened to send |
| `connection` | `RTCRtpReceiver.__stop_decoder`, a join on the loop | it holds up all sessions until a frame is decoded |
| `backlog`, with `incoming_track` | the queues before and behind a decoder | both grow without end behind a slow consumer (5.8 s of lag after 10 s) |
| `candidates` | aioice's choice of addresses, its socket buffers | it skips 127.0.0.1; its 256 KiB hold one and a half key frames; ours are 4 MiB |
| `ciphers` | `RTCCertificate._create_ssl_context`, extended | it knows no cipher for RSA certificates, which GStreamer's peers have: they could not connect |
| `consent` | `aioice.Connection.query_consent`; its `check_incoming`, `datagram_received` and aiortc's `_recv`, `_handle_rtp_data` and `_handle_rtcp_data`, extended | FFmpeg's WHIP muxer answers one binding request and no more, and was thrown out after 30 s while it sent |
| `reception`, with `assembly` | `RTCRtpReceiver.__jitter_buffer` of video | it hands over a frame when the next one begins, and waits at a gap until 512 packets are there (0.6 s of 8 Mbit/s); torn frames would reach the decoder |
| `reception`, with `gaps` | `RTCRtpReceiver.__nack_generator` | it asks once, and forgets gaps after 128 packets (150 ms of 8 Mbit/s) |
| `sound` | `RTCRtpReceiver.receive`, `__jitter_buffer`, `__decoder_queue` and `__stop_decoder` of audio | it decodes all sound, on a thread, and holds four packets (80 ms) before the first |
| `forwarding` | `RTCRtpSender._next_encoded_frame` of audio | it encodes all sound; packets from a track go out whatever codec they are in |
| `reports` | `RTCRtpReceiver._handle_rtcp_packet`, `RTCRtpSender._next_encoded_frame` and `_send_rtcp`, extended | what was captured together is reported as captured when each was sent, so that browsers undo what keeps lips and voice together; what senders report is not kept |
| `reception` | `RTCRtpReceiver.__rtx_ssrc` | simulcast offers name no sources, and retransmissions of unknown ones are dropped |
| `connection`, `reception` | the transport's `_rtp_header_extensions_map`, extended | which layer of simulcast a packet belongs to; OBS sends all, whatever is answered |
| `history` | `RTCRtpSender.__rtp_history`, `_retransmit` | 128 packets are less than many round trips; a packet asked for twice is sent twice |
| `losses` | `RTCRtpSender._handle_rtcp_packet`, extended | it ignores how much the receiver lost |
| `encoders`, with `compressors`, `budget` | `RTCRtpSender.__encoder` of video | VP8 stops at 1.5 Mbit/s, H.264 at 3; H.264 spends twice the bits at 60 fps, takes 41 ms per 1080p frame and claims level 3.1; each change of the rate by a tenth costs a key frame; each request is answered by one |
| `encoded` | `RTCRtpSender.__encoder` and `_send_keyframe`, of senders that share an encoder | a request for a key frame reaches no encoder when frames come encoded; theirs take no rate either |
| `encoding` | `RTCRtpSender.__loop`, of which it uses `run_in_executor` | encoders share the default executor with name look-ups and files |

Figures without a file of their own: 2 AMD EPYC cores, aiortc 1.16.0, PyAV 18.1.0; those about x264
and libvpx stand in `compressors`. `tests/gateway/test_transport_patches.py` fails when aiortc no
longer has, or no longer uses, what is replaced here.
"""  # noqa: E501  (a table)
