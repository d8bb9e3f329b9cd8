"""Settings of where the server listens, whom it lets in, and how it is reached."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, model_validator

from gateway.grants import Grant, full_grants, scoped_grants
from gateway.settings_checks import (
    Addresses,
    Hosts,
    IceServerUrls,
    MaybeAddress,
    Networks,
    Origins,
    ScopedTokens,
    Tokens,
    TokenSecret,
    setting,
)


class AccessSettings(BaseModel):
    """The first three groups of `gateway.settings.Settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, setting("server", "Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, setting("server", "TCP port; 0 takes a free one.", ge=0, le=65535)] = 8080
    cert: Annotated[
        Path | None, setting("server", "TLS certificate (PEM, with its chain); needs `key`.")
    ] = None
    key: Annotated[Path | None, setting("server", "Private key of `cert` (PEM).")] = None
    trusted_proxies: Annotated[
        Networks,
        setting(
            "server",
            "Networks of the proxies in front of the server (`10.0.0.0/8`), whose "
            "`X-Forwarded-For` is believed: limits per address then count their clients.",
        ),
    ] = ()
    insecure: Annotated[
        bool,
        setting(
            "server",
            "Listen beyond this machine without TLS or token. Browsers then refuse the camera.",
        ),
    ] = False
    drain_seconds: Annotated[
        float,
        setting(
            "server",
            "Seconds that sessions and relays may go on after SIGTERM, while new ones are refused; "
            "0 ends them at once, as SIGINT and a second SIGTERM do.",
            ge=0,
        ),
    ] = 0.0
    log_level: Annotated[
        str,
        setting("server", "debug, info, warning or error.", pattern="^(debug|info|warning|error)$"),
    ] = "info"

    tokens: Annotated[
        Tokens,
        setting(
            "access",
            "Bearer tokens (16 characters or more) for everything. Once any token is set, here or "
            "below, publishing, watching and uploading need one.",
        ),
    ] = ()
    publish_tokens: Annotated[
        ScopedTokens,
        setting(
            "access",
            "Tokens for publishing and uploading only; `TOKEN@NAME` for the stream NAME only, "
            "which it also opens like that stream's key.",
        ),
    ] = ()
    watch_tokens: Annotated[
        ScopedTokens,
        setting("access", "Tokens for watching only; `TOKEN@NAME` for the stream NAME only."),
    ] = ()
    token_secret: Annotated[
        TokenSecret,
        setting(
            "access",
            "Secret (32 characters or more) that signs tokens which expire, as `cleanplate token` "
            "makes them; like the tokens above, it makes them necessary.",
        ),
    ] = ""
    origins: Annotated[
        Origins,
        setting(
            "access",
            "Other web origins (`https://example.org`) whose pages may call this server; "
            "`*` for all.",
        ),
    ] = ()

    ice_servers: Annotated[
        IceServerUrls,
        setting(
            "network",
            "STUN and TURN servers, `stun:HOST:PORT` or `turn:HOST:PORT?transport=udp`; "
            "none by default, so that no third party is asked.",
        ),
    ] = ()
    ice_username: Annotated[str, setting("network", "User name at the TURN servers.")] = ""
    ice_credential: Annotated[str, setting("network", "Password at the TURN servers.")] = ""
    ice_secret: Annotated[
        str,
        setting(
            "network",
            "Instead of a password: the secret shared with the TURN servers (coturn's "
            "`static-auth-secret`), from which passwords are made that expire.",
        ),
    ] = ""
    ice_lifetime: Annotated[
        float, setting("network", "Seconds until such a password expires.", ge=60)
    ] = 3600.0
    lenient_trickle: Annotated[
        bool,
        setting(
            "network",
            "Take trickled candidates without `If-Match`, as clients of old drafts send them.",
        ),
    ] = False
    host_addresses: Annotated[
        Addresses,
        setting(
            "network",
            "Local addresses that media may use; empty: all of this machine's, with 127.0.0.1 "
            "while `host` is a loopback address.",
        ),
    ] = ()
    public_address: Annotated[
        MaybeAddress,
        setting("network", "Address under which the outside reaches this machine (1:1 NAT)."),
    ] = None
    relay_hosts: Annotated[
        Hosts,
        setting(
            "network",
            "Hosts that `POST /relays` may call: `sfu.example.org`, `.example.org` for all below "
            "it, `HOST:PORT` for one port, `*` for all; empty: it is refused.",
        ),
    ] = ()
    relay_networks: Annotated[
        Networks,
        setting(
            "network",
            "Networks outside the public internet where those hosts may be, such as `10.0.0.0/8` "
            "or `127.0.0.0/8`. An address listed in `relay_hosts` needs none.",
        ),
    ] = ()

    @model_validator(mode="after")
    def _pairs(self) -> AccessSettings:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if self.ice_secret and self.ice_credential:
            raise ValueError("ice_secret and ice_credential exclude each other")
        return self

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What all tokens open that the settings list."""
        return (
            *full_grants(self.tokens),
            *scoped_grants("publish", self.publish_tokens),
            *scoped_grants("watch", self.watch_tokens),
        )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
