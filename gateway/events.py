"""What travels as JSON: the data-channel messages, and what `PUT` takes. Pure.

`PROTOCOL.md` describes the same in prose; a test holds the two together. Nothing that controls a
stream travels on the data channel: streams that come from an SFU or OBS have none.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LABEL = "cleanplate"
"""Label of the data channel that the page opens; channels with another label are closed."""


class Message(BaseModel):
    """Frozen, and nothing beyond what is written here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PictureChoice(Message):
    """A picture of the gallery or an upload."""

    kind: Literal["picture"] = "picture"
    id: str = Field(min_length=1, max_length=64)


class ColourChoice(Message):
    """One flat colour."""

    kind: Literal["colour"] = "colour"
    rgb: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")


class BlurChoice(Message):
    """The scene behind the person, out of focus."""

    kind: Literal["blur"] = "blur"
    radius: float = Field(default=24.0, ge=4.0, le=200.0)
    """Pixels at 720 lines of height; less would show the room."""


class TransparentChoice(Message):
    """The keying green."""

    kind: Literal["transparent"] = "transparent"


BackdropChoice: TypeAlias = Annotated[
    PictureChoice | ColourChoice | BlurChoice | TransparentChoice, Field(discriminator="kind")
]

PlateState: TypeAlias = Literal["none", "collecting", "ready"]


class Report(Message):
    """`models.report.PlateReport` on the wire."""

    width: int
    height: int
    shots: int
    noise: float
    brightness: float
    sharpness: float
    motion: float


class KeptPlateName(Message):
    """Body of `PUT /streams/{name}/plate`: take the plate that was kept under this name."""

    kept: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")


class StreamName(Message):
    """Body of `PUT /plates/{name}`: keep this stream's plate."""

    stream: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")


class Welcome(Message):
    """First message of every session."""

    type: Literal["welcome"] = "welcome"
    stream: str
    version: str
    device: str
    device_name: str
    backend: str
    weights: str


class PlateNumbers(Message):
    """How the plate stands, inside the statistics."""

    state: PlateState
    validity: Literal["none", "good", "drifting", "invalid"]
    drift: float


class QualityNumbers(Message):
    """How closely the network looked at the newest frame."""

    level: int
    levels: int
    base_scale: float
    refine_pixels: int
    looked: float
    width: int
    height: int


class Stats(Message):
    """Once a second. Counts are sums since the stream began; times are averages."""

    type: Literal["stats"] = "stats"
    fps_in: float
    fps_out: float
    dropped: int
    width: int
    height: int
    ms: dict[str, float]
    latency_ms: float
    plate: PlateNumbers
    quality: QualityNumbers | None
    frames_in: int
    frames_out: int


class PlateChanged(Message):
    """A capture began, succeeded or was refused (back to the state before), or was forgotten."""

    type: Literal["plate"] = "plate"
    state: PlateState
    report: Report | None


class BackdropChanged(Message):
    """Somebody chose a backdrop; also sent once after the welcome."""

    type: Literal["backdrop"] = "backdrop"
    backdrop: BackdropChoice


class Live(Message):
    """To who watches: whether somebody publishes now; first, and whenever it changes."""

    type: Literal["live"] = "live"
    live: bool


class Notice(Message):
    """One sentence for the person."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"]
    text: str


class Ended(Message):
    """Last message of a session that the gateway ends."""

    type: Literal["ended"] = "ended"
    reason: str


Event: TypeAlias = Annotated[
    Welcome | Stats | PlateChanged | BackdropChanged | Live | Notice | Ended,
    Field(discriminator="type"),
]

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_CHOICE: TypeAdapter[BackdropChoice] = TypeAdapter(BackdropChoice)


def encode(event: Event) -> str:
    """One message of the data channel."""
    return event.model_dump_json()


def decode(text: str | bytes) -> Event:
    """The reverse, for clients and tests; raises `pydantic.ValidationError`."""
    return _EVENT.validate_json(text)


def decode_choice(text: str | bytes) -> BackdropChoice:
    """Body of `PUT /streams/{name}/backdrop`; raises `pydantic.ValidationError`."""
    return _CHOICE.validate_json(text)


def check_choice(value: object) -> BackdropChoice:
    """A choice that is no JSON any more; raises `pydantic.ValidationError`."""
    return _CHOICE.validate_python(value)
