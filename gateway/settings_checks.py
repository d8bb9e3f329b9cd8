"""How a setting is written down, types with more than one value, what values must look like. Pure.

Each check raises `ValueError` for people.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.grants import full_grants, scoped_grants

Words: TypeAlias = tuple[str, ...]


def setting(group: str, description: str, **constraints: Any) -> Any:
    """A setting's heading, its meaning, and the bounds of its value."""
    return Field(description=description, json_schema_extra={"group": group}, **constraints)


def split(value: object) -> object:
    """Words with commas between, as the environment and the command line bring them."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def are_tokens(value: Words) -> Words:
    """The operator's own."""
    full_grants(value)
    return value


def are_scoped_tokens(value: Words) -> Words:
    """`TOKEN` or `TOKEN@STREAM`."""
    # For which of the two scopes is no matter for what is checked here.
    scoped_grants("watch", value)
    return value


def is_token_secret(value: str) -> str:
    """At least as long as what it makes (RFC 7518, 3.2), or none."""
    if value and len(value.encode()) < 32:
        raise ValueError("a secret that signs tokens needs at least 32 characters")
    return value


def are_origins(value: Words) -> Words:
    """Of pages, or `*`."""
    for origin in value:
        scheme, separator, host = origin.partition("://")
        if origin != "*" and (
            scheme not in ("http", "https") or not separator or not host or "/" in host
        ):
            raise ValueError(f"{origin!r} is not an origin such as https://example.org")
    return value


def are_ice_servers(value: Words) -> Words:
    """URLs of STUN and TURN servers."""
    for url in value:
        if not url.startswith(("stun:", "turn:", "turns:")):
            raise ValueError(f"{url!r} begins with neither stun:, turn: nor turns:")
    return value


def are_addresses(value: Words) -> Words:
    """Of IP, version 4 or 6."""
    return _all(value, ipaddress.ip_address)


def is_address(value: str | None) -> str | None:
    """The same, or none."""
    if value is not None:
        ipaddress.ip_address(value)
    return value


def are_hosts(value: Words) -> Words:
    """Names, `.NAME`, with a port or without, or `*`."""
    for host in value:
        if "/" in host or "@" in host or ("*" in host and host != "*"):
            raise ValueError(f"{host!r} is not a host such as sfu.example.org")
    return value


def are_networks(value: Words) -> Words:
    """Of IP, such as `10.0.0.0/8`."""
    return _all(value, ipaddress.ip_network)


def _all(value: Words, check: Callable[[str], object]) -> Words:
    for each in value:
        check(each)
    return value


Tokens = Annotated[Words, BeforeValidator(split), AfterValidator(are_tokens)]
ScopedTokens = Annotated[Words, BeforeValidator(split), AfterValidator(are_scoped_tokens)]
TokenSecret = Annotated[str, AfterValidator(is_token_secret)]
Origins = Annotated[Words, BeforeValidator(split), AfterValidator(are_origins)]
IceServerUrls = Annotated[Words, BeforeValidator(split), AfterValidator(are_ice_servers)]
Addresses = Annotated[Words, BeforeValidator(split), AfterValidator(are_addresses)]
Hosts = Annotated[Words, BeforeValidator(split), AfterValidator(are_hosts)]
Networks = Annotated[Words, BeforeValidator(split), AfterValidator(are_networks)]
MaybeAddress = Annotated[str | None, AfterValidator(is_address)]
