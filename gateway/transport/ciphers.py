"""DTLS with peers whose certificate is an RSA one.

aiortc 1.16 offers only ciphers for ECDSA, which all browsers use by default, so a peer that answers
the handshake with an RSA certificate breaks it off: GStreamer's webrtcbin (1.22, and all that is
built on it: `whipclientsink`, `whepsrc`), and whoever makes an RSA one (`generateCertificate`).
"""

from __future__ import annotations

from typing import Final

from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from OpenSSL import SSL

from gateway.transport import hidden

CIPHERS: Final = b":".join(
    b"ECDHE-%s-%s" % (signature, cipher)
    for signature in (b"ECDSA", b"RSA")
    for cipher in (b"AES128-GCM-SHA256", b"CHACHA20-POLY1305", b"AES128-SHA", b"AES256-SHA")
)
"""As aiortc orders them (RFC 8827, section 6.5), with either kind of signature."""


def take_either(certificate: RTCCertificate) -> None:
    """Handshakes that this certificate is used for take both kinds of the other side's."""
    make = hidden.method(certificate, "_create_ssl_context")

    def context(srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        made: SSL.Context = make(srtp_profiles=srtp_profiles)
        made.set_cipher_list(CIPHERS)
        return made

    hidden.replace(certificate, "_create_ssl_context", context)
