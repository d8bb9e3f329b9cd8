"""Credentials of STUN and TURN servers."""

import base64
import dataclasses
import hashlib
import hmac

from gateway.ice_servers import IceServers
from gateway.settings import Settings
from gateway.transport.connection import Connection
from tests.gateway.loopback import TUNING

TURN = "turn:turn.example.org:3478?transport=udp"
STUN = "stun:stun.example.org:3478"
SECRET = "a-shared-secret-of-coturn"


def servers(**settings: object) -> IceServers:
    return IceServers(Settings(**settings), now=lambda: 2_000_000_000.0)


def test_a_shared_secret_gives_the_password_that_coturn_expects():
    made = servers(
        ice_servers=(TURN,), ice_secret=SECRET, ice_username="cleanplate", ice_lifetime=600
    )
    # printf %s 2000000600:cleanplate | openssl dgst -sha1 -hmac SECRET -binary | base64
    assert made.described() == [
        {
            "urls": TURN,
            "username": "2000000600:cleanplate",
            "credential": "ZK2QDx4QJBV86qp+m3OJjH5leV8=",
        }
    ]


def test_without_a_name_each_credential_is_another_users():
    made = servers(ice_servers=(TURN,), ice_secret=SECRET)
    first, second = made.described()[0], made.described()[0]
    assert first["username"].startswith("2000003600:")
    assert first["username"] != second["username"]
    digest = hmac.new(SECRET.encode(), first["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(first["credential"]) == digest


def test_our_own_connections_get_fresh_credentials_too():
    made = servers(ice_servers=(STUN, TURN), ice_secret=SECRET)
    first, second = list(made), list(made)
    assert first[0].urls == STUN
    assert first[1].username != second[1].username
    assert first[1].credential not in (None, SECRET)


def test_stun_servers_are_told_without_credentials():
    made = servers(ice_servers=(STUN,), ice_username="me", ice_credential="secret")
    assert made.links() == [f'<{STUN}>; rel="ice-server"']
    assert made.described() == [{"urls": STUN}]


def test_links_quote_what_could_end_them():
    made = servers(ice_servers=(TURN,), ice_username='a"b', ice_credential="c\\d")
    assert made.links() == [
        f'<{TURN}>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"'
        '; credential-type="password"'
    ]


async def test_every_connection_of_our_own_asks_with_its_own_name():
    asked = dataclasses.replace(
        TUNING, ice_servers=servers(ice_servers=(TURN,), ice_secret="shared-with-coturn")
    )
    names = set()
    for _ in range(2):
        connection = Connection(asked)
        transceiver = connection.addTransceiver("video")
        names.add(transceiver.receiver.transport.transport._connection.turn_username)
        await connection.close()
    assert len(names) == 2
    assert all(name.startswith("2000003600:") for name in names)
