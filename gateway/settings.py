"""Every setting: its meaning, its default, and where it comes from.

A setting has one name and four sources; the later one wins: the default here, the TOML file, the
environment (`CLEANPLATE_PORT`), the command line (`--port`). Lists are arrays in TOML and
comma-separated elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import model_validator

from gateway.settings_access import AccessSettings
from gateway.settings_checks import setting

PREFIX: Final = "CLEANPLATE_"


class SettingsError(Exception):
    """The operator's: one line that says which setting and what to do."""


class Settings(AccessSettings):
    """All settings of `cleanplate serve`: those of access, and these."""

    max_sessions: Annotated[
        int, setting("limits", "WebRTC sessions at a time, publishing and watching.", ge=1)
    ] = 32
    max_client_sessions: Annotated[
        int, setting("limits", "Of these from one address; 0 for any number.", ge=0)
    ] = 0
    max_streams: Annotated[
        int, setting("limits", "Streams at a time; each holds a decoder and a plate.", ge=1)
    ] = 8
    max_watchers: Annotated[
        int,
        setting(
            "limits",
            "Watchers per stream, within `max_sessions`; those with about equal lines share a "
            "video encoder.",
            ge=0,
        ),
    ] = 1000
    max_relays: Annotated[
        int,
        setting("limits", "Relays at a time; each pulls, mattes and pushes one stream.", ge=0),
    ] = 4
    max_candidates: Annotated[
        int, setting("limits", "ICE candidates that one peer may send.", ge=1)
    ] = 32
    max_width: Annotated[int, setting("limits", "Widest source frame taken.", ge=16)] = 4096
    max_height: Annotated[int, setting("limits", "Highest source frame taken.", ge=16)] = 2304
    max_upload_bytes: Annotated[
        int, setting("limits", "Size of an uploaded picture file.", ge=1024)
    ] = 10 * 1024 * 1024
    max_upload_pixels: Annotated[
        int, setting("limits", "Pixels of an uploaded picture.", ge=1024)
    ] = 40_000_000
    max_uploads: Annotated[
        int, setting("limits", "Uploaded backdrops kept; the longest unused goes first.", ge=1)
    ] = 64
    max_kept_plates: Annotated[
        int, setting("limits", "Plates kept under a name; more are refused.", ge=0)
    ] = 16
    client_calls: Annotated[
        float,
        setting(
            "limits",
            "Calls per second that change something (POST, PUT, PATCH, DELETE) from one address, "
            "for four seconds at once; 0 for no bound, as behind a proxy that is not in "
            "`trusted_proxies`.",
            ge=0,
        ),
    ] = 50.0
    all_calls: Annotated[float, setting("limits", "The same for all addresses together.", ge=0)] = (
        200.0
    )
    connect_deadline: Annotated[
        float, setting("limits", "Seconds that a session may take to connect.", gt=0)
    ] = 15.0
    idle_deadline: Annotated[
        float, setting("limits", "Seconds without video after which a session ends.", gt=0)
    ] = 20.0
    max_session_seconds: Annotated[
        float,
        setting(
            "limits",
            "Seconds after which a session, publishing or watching, ends, however lively; 0 for "
            "any length. Who publishes again with the stream's key finds plate and backdrop.",
            ge=0,
        ),
    ] = 0.0
    stream_linger: Annotated[
        float,
        setting("limits", "Seconds that plate and backdrop outlive their session.", ge=0),
    ] = 60.0

    uplink_start: Annotated[
        int, setting("video", "kbit/s at which browsers begin to send.", ge=100)
    ] = 4000
    uplink_max: Annotated[int, setting("video", "kbit/s that browsers may send.", ge=100)] = 8000
    downlink_start: Annotated[
        int, setting("video", "kbit/s at which composites begin.", ge=100)
    ] = 2500
    downlink_min: Annotated[
        int, setting("video", "kbit/s below which composites are not sent.", ge=50)
    ] = 300
    downlink_max: Annotated[int, setting("video", "kbit/s of a composite.", ge=100)] = 8000

    device: Annotated[
        str, setting("matting", "auto, cpu, cuda or cuda:N.", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    ] = "auto"
    weights: Annotated[
        str | None, setting("matting", "Card or file of the weights; empty: chosen by the device.")
    ] = None
    rate: Annotated[
        float,
        setting(
            "matting",
            "Composites per second that every stream is promised; for them the network looks less "
            "closely where the time does not suffice.",
            ge=1,
            le=120,
        ),
    ] = 30
    default_backdrop: Annotated[
        str | None,
        setting("matting", "Gallery id that new streams begin with; empty: the first one."),
    ] = None
    plates_folder: Annotated[
        Path | None,
        setting(
            "matting",
            "Folder where plates that are kept under a name outlive a restart; empty: in memory "
            "only. They show rooms.",
        ),
    ] = None
    freeze: Annotated[
        float,
        setting(
            "matting",
            "Seconds that watchers keep the last composite when matting fails or no video comes; "
            "then they see the backdrop alone.",
            ge=0,
        ),
    ] = 1.0

    @model_validator(mode="after")
    def _rates(self) -> Settings:
        if not self.downlink_min <= self.downlink_start <= self.downlink_max:
            raise ValueError("downlink_min, downlink_start and downlink_max must ascend")
        if self.uplink_start > self.uplink_max:
            raise ValueError("uplink_start must not exceed uplink_max")
        return self
