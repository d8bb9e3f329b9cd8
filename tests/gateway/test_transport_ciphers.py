"""Who has an RSA certificate connects, on either side of the handshake."""

import inspect

import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate, generate_certificate
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from gateway.transport import hidden
from gateway.transport.ciphers import CIPHERS, take_either
from gateway.transport.connection import Connection
from tests.gateway.loopback import TUNING, until


def with_rsa() -> Connection:
    """A peer as GStreamer's are: its certificate signs with RSA, and it knows ciphers for that."""
    connection = Connection(TUNING)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = RTCCertificate(key=key, cert=generate_certificate(key))
    take_either(certificate)
    hidden.write(connection, RTCPeerConnection, "certificates", [certificate])
    return connection


@pytest.mark.parametrize("offers", [True, False])
async def test_a_peer_with_an_rsa_certificate_connects(offers: bool):
    ours, theirs = Connection(TUNING), with_rsa()
    # Who answers speaks first in the handshake, and so has to know the other's kind of certificate.
    first, second = (theirs, ours) if offers else (ours, theirs)
    first.addTransceiver("video")
    await first.setLocalDescription(await first.createOffer())
    await second.setRemoteDescription(first.localDescription)
    await second.setLocalDescription(await second.createAnswer())
    await first.setRemoteDescription(second.localDescription)
    try:
        await until(lambda: ours.connectionState == "connected", what="the handshake")
    finally:
        for each in (theirs, ours):
            await each.close()
            await each.join_decoders()


def test_the_ciphers_of_aiortc_come_first():
    theirs = b":".join(CIPHERS.split(b":")[:4]).decode()
    assert f'"{theirs}"' in inspect.getsource(RTCCertificate._create_ssl_context)


def takes_rsa(connection: RTCPeerConnection) -> bool:
    """Whether its handshakes offer a cipher for certificates that sign with RSA."""
    [certificate] = hidden.read(connection, RTCPeerConnection, "certificates")
    context = certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES)
    return any("-RSA-" in cipher for cipher in SSL.Connection(context).get_cipher_list())


async def test_other_connections_of_aiortc_are_left_alone():
    ours, plain = Connection(TUNING), RTCPeerConnection()
    assert takes_rsa(ours)
    assert not takes_rsa(plain)
    for each in (ours, plain):
        await each.close()
