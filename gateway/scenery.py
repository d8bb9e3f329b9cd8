"""What a publisher wishes to be seen with: where the plate comes from, and the backdrop. Pure.

Whoever publishes without a page says so in the URL, once, as OBS, FFmpeg and SFUs keep it:
`/whip/desk?plate=first&backdrop=loft`. What the gateway fetches itself brings the same as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pydantic import ValidationError

from gateway import events


@dataclass(frozen=True, slots=True)
class Kept:
    """The plate that was kept under this name."""

    name: str


PlateSource: TypeAlias = Literal["first"] | Kept
"""`first`: the first still, empty stretch of the source itself."""

KEPT: Final = re.compile(r"kept:([A-Za-z0-9_-]{1,64})")

BLUR: Final = re.compile(r"blur(?::([0-9.]{1,8}))?")


class BadScenery(Exception):
    """The caller's: a value that means nothing; `reason` is the name of the parameter."""

    def __init__(self, reason: Literal["plate", "backdrop"], detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Scenery:
    """`None` leaves what the stream has, or would get by itself."""

    plate: PlateSource | None = None
    backdrop: events.BackdropChoice | None = None


AS_IT_IS: Final = Scenery()


def read_scenery(values: Mapping[str, object]) -> Scenery:
    """From a query, or from a JSON object, where `backdrop` may also be one as in PROTOCOL.md.

    Other keys are somebody else's. Raises `BadScenery`.
    """
    plate, backdrop = values.get("plate"), values.get("backdrop")
    return Scenery(
        None if plate is None else _plate(plate), None if backdrop is None else _backdrop(backdrop)
    )


def _plate(value: object) -> PlateSource:
    if value == "first":
        return "first"
    if isinstance(value, str) and (match := KEPT.fullmatch(value)):
        return Kept(match[1])
    raise BadScenery("plate", "plate takes `first`, or `kept:NAME` for one that was kept.")


def _backdrop(value: object) -> events.BackdropChoice:
    """A choice as an object, or as short as in a URL."""
    try:
        return events.check_choice(_spelt_out(value) if isinstance(value, str) else value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadScenery(
            "backdrop",
            "backdrop takes the id of a picture, #rrggbb (in a URL %23rrggbb), blur, blur:RADIUS "
            f"or transparent: {first['msg']}.",
        ) from None


def _spelt_out(text: str) -> dict[str, object]:
    if text.startswith("#"):
        return {"kind": "colour", "rgb": text}
    if match := BLUR.fullmatch(text):
        return {"kind": "blur"} if match[1] is None else {"kind": "blur", "radius": match[1]}
    if text == "transparent":
        return {"kind": "transparent"}
    return {"kind": "picture", "id": text}
