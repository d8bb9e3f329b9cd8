"""Every setting: its meaning, its default, and where it comes from.

A setting has one name and four sources; the later one wins: the default here, the TOML file, the
environment (`CLEANPLATE_PORT`), the command line (`--port`). Lists are arrays in TOML and
comma-separated elsewhere.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
)

PREFIX: Final = "CLEANPLATE_"


class SettingsError(Exception):
    """The operator's: one line that says which setting and what to do."""


def _group(name: str, description: str, **constraints: Any) -> Any:
    return Field(description=description, json_schema_extra={"group": name}, **constraints)


class Settings(BaseModel):
    """All settings of `cleanplate serve`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, _group("server", "Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _group("server", "TCP port; 0 takes a free one.", ge=0, le=65535)] = 8080
    cert: Annotated[
        Path | None, _group("server", "TLS certificate (PEM, with its chain); needs `key`.")
    ] = None
    key: Annotated[Path | None, _group("server", "Private key of `cert` (PEM).")] = None
    insecure: Annotated[
        bool,
        _group(
            "server",
            "Listen beyond this machine without TLS or token. Browsers then refuse the camera.",
        ),
    ] = False
    log_level: Annotated[
        str,
        _group("server", "debug, info, warning or error.", pattern="^(debug|info|warning|error)$"),
    ] = "info"

    tokens: Annotated[
        Tokens,
        _group(
            "access",
            "Bearer tokens (16 characters or more) for everything. Once any token is set, here or "
            "below, publishing, watching and uploading need one.",
        ),
    ] = ()
    publish_tokens: Annotated[
        ScopedTokens,
        _group(
            "access",
            "Tokens for publishing and uploading only; `TOKEN@NAME` for the stream NAME only, "
            "which it also opens like that stream's key.",
        ),
    ] = ()
    watch_tokens: Annotated[
        ScopedTokens,
        _group("access", "Tokens for watching only; `TOKEN@NAME` for the stream NAME only."),
    ] = ()
    origins: Annotated[
        Origins,
        _group(
            "access",
            "Other web origins (`https://example.org`) whose pages may call this server; "
            "`*` for all.",
        ),
    ] = ()

    ice_servers: Annotated[
        IceServerUrls,
        _group(
            "network",
            "STUN and TURN servers, `stun:HOST:PORT` or `turn:HOST:PORT?transport=udp`; "
            "none by default, so that no third party is asked.",
        ),
    ] = ()
    ice_username: Annotated[str, _group("network", "User name at the TURN servers.")] = ""
    ice_credential: Annotated[str, _group("network", "Password at the TURN servers.")] = ""
    ice_secret: Annotated[
        str,
        _group(
            "network",
            "Instead of a password: the secret shared with the TURN servers (coturn's "
            "`static-auth-secret`), from which passwords are made that expire.",
        ),
    ] = ""
    ice_lifetime: Annotated[
        float, _group("network", "Seconds until such a password expires.", ge=60)
    ] = 3600.0
    lenient_trickle: Annotated[
        bool,
        _group(
            "network",
            "Take trickled candidates without `If-Match`, as clients of old drafts send them.",
        ),
    ] = False
    host_addresses: Annotated[
        Addresses,
        _group(
            "network",
            "Local addresses that media may use; empty: all of this machine's, with 127.0.0.1 "
            "while `host` is a loopback address.",
        ),
    ] = ()
    public_address: Annotated[
        MaybeAddress,
        _group("network", "Address under which the outside reaches this machine (1:1 NAT)."),
    ] = None
    relay_hosts: Annotated[
        Hosts,
        _group(
            "network",
            "Hosts that `POST /relays` may call: `sfu.example.org`, `.example.org` for all below "
            "it, `HOST:PORT` for one port, `*` for all; empty: it is refused.",
        ),
    ] = ()
    relay_networks: Annotated[
        Networks,
        _group(
            "network",
            "Networks outside the public internet where those hosts may be, such as `10.0.0.0/8` "
            "or `127.0.0.0/8`. An address listed in `relay_hosts` needs none.",
        ),
    ] = ()

    max_sessions: Annotated[
        int, _group("limits", "WebRTC sessions at a time, publishing and watching.", ge=1)
    ] = 32
    max_client_sessions: Annotated[
        int, _group("limits", "Of these from one address; 0 for any number.", ge=0)
    ] = 0
    max_streams: Annotated[
        int, _group("limits", "Streams at a time; each holds a decoder and a plate.", ge=1)
    ] = 8
    max_watchers: Annotated[
        int,
        _group(
            "limits",
            "Watchers per stream, within `max_sessions`; those with about equal lines share a "
            "video encoder.",
            ge=0,
        ),
    ] = 1000
    max_relays: Annotated[
        int,
        _group("limits", "Relays at a time; each pulls, mattes and pushes one stream.", ge=0),
    ] = 4
    max_candidates: Annotated[
        int, _group("limits", "ICE candidates that one peer may send.", ge=1)
    ] = 32
    max_width: Annotated[int, _group("limits", "Widest source frame taken.", ge=16)] = 4096
    max_height: Annotated[int, _group("limits", "Highest source frame taken.", ge=16)] = 2304
    max_upload_bytes: Annotated[
        int, _group("limits", "Size of an uploaded picture file.", ge=1024)
    ] = 10 * 1024 * 1024
    max_upload_pixels: Annotated[
        int, _group("limits", "Pixels of an uploaded picture.", ge=1024)
    ] = 40_000_000
    max_uploads: Annotated[
        int, _group("limits", "Uploaded backdrops kept; the longest unused goes first.", ge=1)
    ] = 64
    max_kept_plates: Annotated[
        int, _group("limits", "Plates kept under a name; more are refused.", ge=0)
    ] = 16
    client_calls: Annotated[
        float,
        _group(
            "limits",
            "Calls per second that change something (POST, PUT, PATCH, DELETE) from one address, "
            "for four seconds at once; 0 for no bound, as behind a proxy.",
            ge=0,
        ),
    ] = 50.0
    all_calls: Annotated[float, _group("limits", "The same for all addresses together.", ge=0)] = (
        200.0
    )
    connect_deadline: Annotated[
        float, _group("limits", "Seconds that a session may take to connect.", gt=0)
    ] = 15.0
    idle_deadline: Annotated[
        float, _group("limits", "Seconds without video after which a session ends.", gt=0)
    ] = 20.0
    max_session_seconds: Annotated[
        float,
        _group(
            "limits",
            "Seconds after which a session, publishing or watching, ends, however lively; 0 for "
            "any length. Who publishes again with the stream's key finds plate and backdrop.",
            ge=0,
        ),
    ] = 0.0
    stream_linger: Annotated[
        float,
        _group("limits", "Seconds that plate and backdrop outlive their session.", ge=0),
    ] = 60.0

    uplink_start: Annotated[
        int, _group("video", "kbit/s at which browsers begin to send.", ge=100)
    ] = 4000
    uplink_max: Annotated[int, _group("video", "kbit/s that browsers may send.", ge=100)] = 8000
    downlink_start: Annotated[int, _group("video", "kbit/s at which composites begin.", ge=100)] = (
        2500
    )
    downlink_min: Annotated[
        int, _group("video", "kbit/s below which composites are not sent.", ge=50)
    ] = 300
    downlink_max: Annotated[int, _group("video", "kbit/s of a composite.", ge=100)] = 8000

    device: Annotated[
        str, _group("matting", "auto, cpu, cuda or cuda:N.", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    ] = "auto"
    weights: Annotated[
        str | None, _group("matting", "Card or file of the weights; empty: chosen by the device.")
    ] = None
    rate: Annotated[
        float,
        _group(
            "matting",
            "Composites per second that every stream is promised; for them the network looks less "
            "closely where the time does not suffice.",
            ge=1,
            le=120,
        ),
    ] = 30
    default_backdrop: Annotated[
        str | None,
        _group("matting", "Gallery id that new streams begin with; empty: the first one."),
    ] = None
    plates_folder: Annotated[
        Path | None,
        _group(
            "matting",
            "Folder where plates that are kept under a name outlive a restart; empty: in memory "
            "only. They show rooms.",
        ),
    ] = None
    freeze: Annotated[
        float,
        _group(
            "matting",
            "Seconds that watchers keep the last composite when matting fails; then they see the "
            "backdrop alone.",
            ge=0,
        ),
    ] = 1.0

    @model_validator(mode="after")
    def _pairs(self) -> Settings:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if not self.downlink_min <= self.downlink_start <= self.downlink_max:
            raise ValueError("downlink_min, downlink_start and downlink_max must ascend")
        if self.uplink_start > self.uplink_max:
            raise ValueError("uplink_start must not exceed uplink_max")
        if self.ice_secret and self.ice_credential:
            raise ValueError("ice_secret and ice_credential exclude each other")
        return self

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What all tokens open; none at all where nobody needs one."""
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
