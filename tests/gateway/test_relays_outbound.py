"""Which URLs the gateway calls."""

import ipaddress
from collections.abc import Sequence

import pytest
from yarl import URL

from gateway.relays.outbound import EVERYWHERE, Outbound, Pinned, Refused, Target, Unreachable

PUBLIC = "93.184.216.34"
NAMES = {
    "sfu.example.org": [PUBLIC],
    "inside.example.org": ["10.0.0.5"],
    "both.example.org": [PUBLIC, "127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "six.example.org": ["2606:2800:220:1:248:1893:25c8:1946"],
    "mapped.example.org": ["::ffff:10.0.0.5"],
    "empty.example.org": [],
    "localhost": ["::1", "127.0.0.1"],
}


async def look_up(host: str, port: int) -> Sequence[str]:
    try:
        return NAMES[host.rstrip(".")]
    except KeyError:
        raise OSError("Name or service not known") from None


def rules(*hosts: str, networks: Sequence[str] = ()) -> Outbound:
    return Outbound(hosts, [ipaddress.ip_network(network) for network in networks], look_up)


async def called(outbound: Outbound, text: str) -> Target:
    return await outbound.resolve(outbound.read(text))


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        ("https://sfu.example.org/whep/a?b=c", "https://sfu.example.org/whep/a?b=c"),
        ("http://sfu.example.org:8080/x", "http://sfu.example.org:8080/x"),
        ("whip://sfu.example.org/x", "http://sfu.example.org/x"),
        ("WHIPS://sfu.example.org/x", "https://sfu.example.org/x"),
        ("whep://sfu.example.org/x", "http://sfu.example.org/x"),
        ("wheps://SFU.example.org/x#part", "https://sfu.example.org/x"),
    ],
)
async def test_a_listed_host_is_called_over_the_scheme_that_was_meant(given: str, spoken: str):
    target = await called(rules("sfu.example.org"), given)
    assert str(target.url) == spoken
    assert target.addresses == (PUBLIC,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sfu.example.org/whep",
        "ftp://sfu.example.org/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:/sfu.example.org/x",
        "https:///x",
        "https://user@sfu.example.org/x",
        "https://user:secret@sfu.example.org/x",
        "https://sfu.example.org:99999/x",
        "https://sfu.example.org\\@inside.example.org/x",
        "https://sfu.example.org/\r\nHost: x",
        "https://sfu example.org/x",
        "https://b\u00fccher.example/x",
        "https://sfu.example.org/" + "x" * 2048,
        "https://a%2eb/x",
        "https://a..b/x",
        # Loopback, in all the forms that resolvers take for an address.
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://127.0.0.0x1/",
        "http://127.0.0.1./",
        "http://256.1.1.1/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
    ],
)
def test_what_is_no_proper_url_is_refused_even_where_all_hosts_are_allowed(text: str):
    with pytest.raises(Refused):
        Outbound(["*"], EVERYWHERE, look_up).read(text)


@pytest.mark.parametrize(
    "host",
    [
        "inside.example.org",
        "both.example.org",
        "metadata.example.org",
        "mapped.example.org",
        "localhost",
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.8",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.5]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::a00:5]",
        "[2002:7f00:1::]",
        "[2002:a00:5::]",
        "[2001:0:0:0:0:0:80ff:fffe]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ],
)
async def test_addresses_outside_the_public_internet_are_refused(host: str):
    with pytest.raises(Refused, match="relay_networks"):
        await called(rules("*"), f"https://{host}/x")


@pytest.mark.parametrize(
    ("network", "host"),
    [
        ("10.0.0.0/8", "inside.example.org"),
        ("10.0.0.0/8", "mapped.example.org"),
        ("10.0.0.0/8", "[::ffff:10.0.0.5]"),
        ("127.0.0.0/8", "127.0.0.1"),
        ("fd00::/8", "[fd00::7]"),
        ("169.254.169.254/32", "metadata.example.org"),
    ],
)
async def test_the_operator_can_allow_a_network(network: str, host: str):
    assert (await called(rules("*", networks=[network]), f"https://{host}/x")).addresses


@pytest.mark.parametrize("host", ["224.0.0.251", "[ff02::1]", "0.0.0.0", "[::]"])
async def test_what_is_nobodys_address_is_refused_even_where_all_networks_are_allowed(host: str):
    with pytest.raises(Refused):
        await called(Outbound(["*"], EVERYWHERE, look_up), f"https://{host}/x")


@pytest.mark.parametrize("listed", ["127.0.0.1", "127.0.0.1:8080"])
async def test_an_address_that_is_listed_itself_is_called(listed: str):
    assert (await called(rules(listed), "http://127.0.0.1:8080/x")).addresses == ("127.0.0.1",)
    with pytest.raises(Refused):
        await called(rules(listed), "http://127.0.0.2:8080/x")


@pytest.mark.parametrize("listed", [["10.0.0.5:8443"], ["10.0.0.5:8443", "*"], ["[fd00::7]:8443"]])
async def test_an_address_that_is_listed_with_a_port_is_not_meant_at_another(listed: list[str]):
    host = "fd00::7" if "fd00" in listed[0] else "10.0.0.5"
    assert await rules(*listed).addresses(host, 8443) == [host]
    with pytest.raises(Refused, match="relay_networks"):
        await rules(*listed).addresses(host, 22)


async def test_a_host_is_checked_anew_for_another_port():
    pinned = Pinned()
    pinned.pin(await called(rules("10.0.0.5:8443", "*"), "http://10.0.0.5:8443/x"))
    assert pinned.knows(URL("http://10.0.0.5:8443/y"))
    assert not pinned.knows(URL("http://10.0.0.5:22/x"))


@pytest.mark.parametrize(
    ("listed", "host", "allowed"),
    [
        ("sfu.example.org", "sfu.example.org", True),
        ("sfu.example.org", "SFU.EXAMPLE.ORG.", True),
        ("sfu.example.org", "six.example.org", False),
        ("sfu.example.org", "evil-sfu.example.org", False),
        (".example.org", "sfu.example.org", True),
        (".example.org", "example.org", False),
        (".example.org", "badexample.org", False),
        ("example.org", "sfu.example.org", False),
        ("sfu.example.org:8443", "sfu.example.org:8443", True),
        ("sfu.example.org:8443", "sfu.example.org:22", False),
        ("sfu.example.org:443", "sfu.example.org", True),
        (".example.org:8443", "sfu.example.org:8443", True),
        ("*", "six.example.org", True),
    ],
)
def test_hosts_are_listed_exactly_by_parent_or_with_a_port(listed: str, host: str, allowed: bool):
    outbound = rules(listed)
    if allowed:
        outbound.read(f"https://{host}/x")
    else:
        with pytest.raises(Refused, match="relay_hosts"):
            outbound.read(f"https://{host}/x")


def test_without_a_list_nothing_is_called():
    outbound = rules()
    assert outbound.closed
    with pytest.raises(Refused):
        outbound.read("https://sfu.example.org/x")


@pytest.mark.parametrize("host", ["nowhere.example.org", "empty.example.org"])
async def test_a_name_that_nobody_knows_may_be_known_later(host: str):
    with pytest.raises(Unreachable, match=host):
        await called(rules("*"), f"https://{host}/x")


async def test_a_host_is_connected_to_where_it_was_checked_whatever_its_name_says_later():
    answers = [[PUBLIC], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    pinned = Pinned()
    outbound = Outbound(["sfu.example.org"], (), rebinding)
    pinned.pin(await called(outbound, "https://sfu.example.org/x"))
    for _ in range(2):
        found = await pinned.resolve("sfu.example.org", 443)
        assert [entry["host"] for entry in found] == [PUBLIC]
    with pytest.raises(OSError, match="not checked"):
        await pinned.resolve("six.example.org", 443)
    assert pinned.knows(URL("https://sfu.example.org/y"))
