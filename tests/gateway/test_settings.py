from pathlib import Path

import pytest

from gateway.settings import Settings
from gateway.settings_table import BEGIN, END, settings_table


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("example.org", False),
    ],
)
def test_only_loopback_addresses_are_taken_for_private(host: str, loopback: bool):
    assert Settings(host=host).on_loopback is loopback


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"tokens": ("short",)},
        {"publish_tokens": ("short@desk",)},
        {"watch_tokens": ("correct-horse-battery@a b",)},
        {"token_secret": "x" * 31},
        {"trusted_proxies": ("proxy.example.org",)},
        {"max_session_seconds": -1},
        {"drain_seconds": -1},
        {"ice_secret": "one", "ice_credential": "or the other"},
        {"ice_lifetime": 1},
        {"client_calls": -1},
        {"origins": ("example.org",)},
        {"origins": ("https://example.org/path",)},
        {"ice_servers": ("http://example.org",)},
        {"public_address": "example.org"},
        {"host_addresses": ("nowhere",)},
        {"relay_hosts": ("https://example.org",)},
        {"relay_hosts": ("*.example.org",)},
        {"relay_networks": ("10.0.0.1/8",)},
        {"cert": Path("only-half")},
        {"downlink_min": 5000, "downlink_start": 1000},
        {"device": "tpu"},
        {"unheard_of": 1},
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError):  # noqa: PT011  (each setting words its own complaint)
        Settings(**wrong)


def test_nobody_is_asked_for_addresses_by_default():
    assert Settings().ice_servers == ()


def test_the_table_has_a_row_per_setting_between_its_markers():
    table = settings_table()
    assert table.startswith(BEGIN)
    assert table.endswith(END)
    for name in Settings.model_fields:
        assert f"| `{name}` | `CLEANPLATE_{name.upper()}` |" in table


def test_every_setting_is_explained():
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name


def test_tokens_of_all_kinds_are_granted_what_they_are_for():
    settings = Settings(
        tokens="operators-own-token",
        publish_tokens="publish-horse-battery@desk,publish-horse-battery@door",
        watch_tokens="watch-horse-battery",
    )
    told = [(grant.token, sorted(grant.scopes), grant.stream) for grant in settings.grants]
    assert told == [
        ("operators-own-token", ["publish", "watch"], None),
        ("publish-horse-battery", ["publish"], "desk"),
        ("publish-horse-battery", ["publish"], "door"),
        ("watch-horse-battery", ["watch"], None),
    ]
    assert Settings().grants == ()
