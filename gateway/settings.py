"""Every setting: its meaning, its default, and where it comes from.

A setting has one name and four sources; the later one wins: the default here, the TOML file, the
environment (`CLEANPLATE_PORT`), the command line (`--port`). Lists are arrays in TOML and
comma-separated elsewhere.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

PREFIX: Final = "CLEANPLATE_"
BEGIN: Final = "<!-- settings: begin, written by `cleanplate serve --print-settings-table` -->"
END: Final = "<!-- settings: end -->"


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
        tuple[str, ...],
        _group(
            "access",
            "Bearer tokens (16 characters or more) of which publishing, watching and uploading "
            "need one; empty: nobody needs a token.",
        ),
    ] = ()
    origins: Annotated[
        tuple[str, ...],
        _group(
            "access",
            "Other web origins (`https://example.org`) whose pages may call this server; "
            "`*` for all.",
        ),
    ] = ()

    ice_servers: Annotated[
        tuple[str, ...],
        _group(
            "network",
            "STUN and TURN servers, `stun:HOST:PORT` or `turn:HOST:PORT?transport=udp`; "
            "none by default, so that no third party is asked.",
        ),
    ] = ()
    ice_username: Annotated[str, _group("network", "User name at the TURN servers.")] = ""
    ice_credential: Annotated[str, _group("network", "Password at the TURN servers.")] = ""
    host_addresses: Annotated[
        tuple[str, ...],
        _group(
            "network",
            "Local addresses that media may use; empty: all of this machine's, with 127.0.0.1 "
            "while `host` is a loopback address.",
        ),
    ] = ()
    public_address: Annotated[
        str | None,
        _group("network", "Address under which the outside reaches this machine (1:1 NAT)."),
    ] = None

    max_sessions: Annotated[
        int, _group("limits", "WebRTC sessions at a time, publishing and watching.", ge=1)
    ] = 32
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
    connect_deadline: Annotated[
        float, _group("limits", "Seconds that a session may take to connect.", gt=0)
    ] = 15.0
    idle_deadline: Annotated[
        float, _group("limits", "Seconds without video after which a session ends.", gt=0)
    ] = 20.0
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
    freeze: Annotated[
        float,
        _group(
            "matting",
            "Seconds that watchers keep the last composite when matting fails; then they see the "
            "backdrop alone.",
            ge=0,
        ),
    ] = 1.0

    @field_validator("tokens", "origins", "ice_servers", "host_addresses", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("tokens")
    @classmethod
    def _long_enough(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(token) < 16 for token in value):
            raise ValueError("a token needs at least 16 characters")
        return value

    @field_validator("origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, separator, host = origin.partition("://")
            if origin != "*" and (
                scheme not in ("http", "https") or not separator or not host or "/" in host
            ):
                raise ValueError(f"{origin!r} is not an origin such as https://example.org")
        return value

    @field_validator("ice_servers")
    @classmethod
    def _servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not url.startswith(("stun:", "turn:", "turns:")):
                raise ValueError(f"{url!r} begins with neither stun:, turn: nor turns:")
        return value

    @field_validator("host_addresses", "public_address")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        for address in (value,) if isinstance(value, str) else value or ():
            ipaddress.ip_address(address)
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Settings:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if not self.downlink_min <= self.downlink_start <= self.downlink_max:
            raise ValueError("downlink_min, downlink_start and downlink_max must ascend")
        if self.uplink_start > self.uplink_max:
            raise ValueError("uplink_start must not exceed uplink_max")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def group_of(field: FieldInfo) -> str:
    """The heading under which a setting stands."""
    assert isinstance(field.json_schema_extra, dict)
    return str(field.json_schema_extra["group"])


def shown(field: FieldInfo) -> str:
    """A default for people."""
    if field.default is None or field.default in ("", ()):
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def settings_table() -> str:
    """The README's table, with its markers."""
    rows = ["| setting | environment | default | meaning |", "|---|---|---|---|"]
    heading = ""
    for name, field in Settings.model_fields.items():
        if group_of(field) != heading:
            heading = group_of(field)
            rows.append(f"| **{heading}** | | | |")
        default = f"`{shown(field)}`" if shown(field) else ""
        rows.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join([BEGIN, *rows, END])
