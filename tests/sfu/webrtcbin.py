"""GStreamer's webrtcbin as a client of WHIP or WHEP, run by Debian's own Python, which has `gi`.

    python3 webrtcbin.py publish URL TOKEN WIDTH HEIGHT FPS     raw I420 on standard input
    python3 webrtcbin.py watch URL TOKEN WIDTH HEIGHT           raw RGB on standard output

Until standard input ends, or SIGTERM; then it says goodbye.
"""

import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - versions are chosen first

PUBLISH = """
webrtcbin name=peer bundle-policy=max-bundle
fdsrc name=camera ! rawvideoparse format=i420 width={} height={} framerate={}/1 ! queue
! vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 keyframe-max-dist=60 error-resilient=default
! rtpvp8pay picture-id-mode=15-bit ! application/x-rtp,media=video,encoding-name=VP8,payload=96
! peer.
"""
VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
DECODE = """
rtpvp8depay ! vp8dec ! videoconvert ! videoscale ! video/x-raw,format=RGB,width={},height={}
! fdsink sync=false
"""
DIRECTION = GstWebRTC.WebRTCRTPTransceiverDirection
TRIES = 60
"""A stream that is not live yet is asked for once a second."""


class Client:
    """One session, from the offer to the goodbye."""

    def __init__(self, pipeline, url, token):
        self._pipeline, self._url, self._token = pipeline, url, token
        self._peer = pipeline.get_by_name("peer")
        self._session = None
        self._loop = GLib.MainLoop()

    def run(self):
        """Until the end."""
        self._peer.connect("on-negotiation-needed", self._offer)
        self._peer.connect("notify::ice-gathering-state", self._gathered)
        bus = self._pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self._failed)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, self.end)
        self._pipeline.set_state(Gst.State.PLAYING)
        self._loop.run()
        self._pipeline.set_state(Gst.State.NULL)
        if self._session is not None:
            self._call("DELETE", self._session).close()

    def end(self):
        """Leave `run`."""
        self._loop.quit()

    def _offer(self, _peer):
        self._peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise):
        # The offer lives in the reply.
        reply = promise.get_reply()
        self._peer.emit("set-local-description", reply.get_value("offer"), None)

    def _gathered(self, peer, _property):
        state = peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._exchange)

    def _exchange(self):
        sdp = self._peer.get_property("local-description").sdp.as_text()
        for _ in range(TRIES):
            try:
                with self._call("POST", self._url, sdp.encode()) as response:
                    location, answer = response.headers["Location"], response.read()
                break
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise SystemExit(f"{error.code} {error.read().decode()}") from None
            time.sleep(1)
        self._session = urllib.parse.urljoin(self._url, location)
        _, message = GstSdp.SDPMessage.new_from_text(answer.decode())
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self._peer.emit("set-remote-description", described, None)

    def _call(self, method, url, body=None):
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(url, body, headers, method=method)
        return urllib.request.urlopen(request, timeout=20)

    def _failed(self, _bus, message):
        print(*message.parse_error(), file=sys.stderr)
        self._loop.quit()


def publisher(width, height, fps):
    """A pipeline whose camera is standard input."""
    pipeline = Gst.parse_launch(PUBLISH.format(width, height, fps))
    sender = pipeline.get_by_name("peer").emit("get-transceiver", 0)
    sender.set_property("direction", DIRECTION.SENDONLY)
    return pipeline


def watcher(width, height):
    """A pipeline whose screen is standard output."""
    pipeline = Gst.Pipeline()
    peer = Gst.ElementFactory.make("webrtcbin", "peer")
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(peer)
    peer.emit("add-transceiver", DIRECTION.RECVONLY, Gst.Caps.from_string(VIDEO))

    def show(_peer, pad):
        screen = Gst.parse_bin_from_description(DECODE.format(width, height), True)
        pipeline.add(screen)
        screen.sync_state_with_parent()
        pad.link(screen.get_static_pad("sink"))

    peer.connect("pad-added", show)
    return pipeline


def main():
    """Do what the command line says."""
    Gst.init(None)
    doing, url, token, *numbers = sys.argv[1:]
    make = {"publish": publisher, "watch": watcher}[doing]
    pipeline = make(*map(int, numbers))
    client = Client(pipeline, url, token)
    if camera := pipeline.get_by_name("camera"):
        # webrtcbin tells nobody that the film is over.
        watched, over = Gst.PadProbeType.EVENT_DOWNSTREAM, Gst.EventType.EOS

        def look(_pad, probe):
            if probe.get_event().type == over:
                client.end()
            return Gst.PadProbeReturn.OK

        camera.get_static_pad("src").add_probe(watched, look)
    client.run()


if __name__ == "__main__":
    main()
