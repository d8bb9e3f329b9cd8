"""How often clients may call."""

import pytest

from gateway.access import Problem
from gateway.rates import BURST, CLIENTS, Rates, client_of


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def refusal(rates: Rates, address: str | None = "192.0.2.1") -> Problem | None:
    try:
        rates.take(address)
    except Problem as problem:
        return problem
    return None


def test_a_client_may_call_often_for_a_moment_and_then_at_its_rate():
    clock = Clock()
    rates = Rates(10, 0, clock)
    assert [refusal(rates) for _ in range(int(10 * BURST))] == [None] * int(10 * BURST)
    refused = refusal(rates)
    assert refused is not None
    assert (refused.status, refused.reason) == (429, "rate")
    assert refused.headers["Retry-After"] == "1"
    clock.seconds += 0.11
    assert refusal(rates) is None
    assert refusal(rates) is not None


def test_calls_that_are_refused_do_not_lengthen_the_wait():
    clock = Clock()
    rates = Rates(10, 0, clock)
    for _ in range(1000):
        refusal(rates)
    clock.seconds += 1
    assert refusal(rates) is None


def test_one_client_does_not_use_up_anothers_calls():
    rates = Rates(1, 0, Clock())
    while refusal(rates, "192.0.2.1") is None:
        pass
    assert refusal(rates, "192.0.2.2") is None


def test_when_all_together_call_too_often_the_server_is_overloaded():
    clock = Clock()
    rates = Rates(0, 10, clock)
    for number in range(int(10 * BURST)):
        assert refusal(rates, f"192.0.2.{number}") is None
    refused = refusal(rates, None)
    assert refused is not None
    assert refused.status == 503
    clock.seconds += int(refused.headers["Retry-After"])
    assert refusal(rates) is None


def test_zero_bounds_nothing():
    rates = Rates(0, 0, Clock())
    assert all(refusal(rates) is None for _ in range(10_000))


def test_slow_rates_still_allow_a_first_call():
    rates = Rates(0.01, 0, Clock())
    assert refusal(rates) is None
    assert refusal(rates) is not None


def test_clients_are_forgotten_rather_than_kept_without_end():
    rates = Rates(10, 0, Clock())
    for number in range(CLIENTS + 100):
        rates.take(f"10.0.{number // 256}.{number % 256}")
    assert len(rates._filled) == CLIENTS


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_ipv6_network_is_one_client(address: str, client: str):
    assert client_of(address) == client
