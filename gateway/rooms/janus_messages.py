"""What Janus and its VideoRoom say, taken apart. Pure.

What is not as Janus documents it counts as not said: whoever needs it finds it missing, and
nothing else in the same message, or in the room, suffers from it.
https://janus.conf.meetecho.com/docs/rest.html and .../videoroom.html
"""

from __future__ import annotations

import logging
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

logger = logging.getLogger(__name__)


def _is_id(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("neither a number nor a name")
    return value


Id: TypeAlias = Annotated[int | str, PlainValidator(_is_id)]
"""Of somebody in a room: as Janus is set up, a number or a name."""


class Mistakes:
    """Told once each: whoever makes one makes it with every message."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, place: str, error: ValidationError) -> None:
        """Log what is wrong at a place; never what was sent, which may be a secret."""
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # Without positions, of which there are any number.
        path = [place, *(part for part in found["loc"] if isinstance(part, str))]
        wrong = "not JSON" if found["type"] == "json_invalid" else found["msg"]
        mistake = f"{'.'.join(path)}: {wrong.removeprefix('Value error, ')}"
        if mistake not in self._told:
            self._told.add(mistake)
            logger.warning("Janus says something malformed, which is left out: %s", mistake)


def _or_missing(value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """`None` for what is malformed. The validation's context are the `Mistakes`."""
    try:
        return check(value)
    except ValidationError as error:
        assert isinstance(info.context, Mistakes)
        info.context.tell(info.field_name or "", error)
        return None


T = TypeVar("T")
Maybe: TypeAlias = Annotated[T | None, WrapValidator(_or_missing)]


class _Part(BaseModel):
    """Of anything that Janus says; what we do not know is skipped."""

    model_config = ConfigDict(frozen=True)


class Media(_Part):
    """Something that a publisher sends."""

    type: str


class Publisher(_Part):
    """Somebody who shows a camera."""

    id: Id
    display: Maybe[StrictStr] = None
    streams: Maybe[tuple[Maybe[Media], ...]] = None

    @property
    def title(self) -> str:
        """For people."""
        return self.display or str(self.id)

    @property
    def shows_video(self) -> bool:
        """Whether there is a video; assumed where it is not said what they send."""
        if not self.streams:
            return True
        return any(media is not None and media.type == "video" for media in self.streams)


class Said(_Part):
    """What the VideoRoom says."""

    error_code: Maybe[StrictInt] = None
    error: Maybe[StrictStr] = None
    id: Maybe[Id] = None
    """Ours, of who has joined."""
    private_id: Maybe[StrictInt] = None
    publishers: Maybe[tuple[Maybe[Publisher], ...]] = None
    unpublished: Maybe[Id] = None
    leaving: Maybe[Id] = None
    kicked: Maybe[Id] = None

    @property
    def cameras(self) -> list[Publisher]:
        """Publishers who show a video."""
        return [each for each in self.publishers or () if each is not None and each.shows_video]


class Plugin(_Part):
    """The envelope of what a plugin says."""

    data: Maybe[Said] = None


class Description(_Part):
    """Of a session, as SDP."""

    sdp: StrictStr


class Refusal(_Part):
    """Janus's own, not a plugin's."""

    code: Maybe[StrictInt] = None
    reason: Maybe[StrictStr] = None


class Made(_Part):
    """A session or a handle."""

    id: StrictInt


class Message(_Part):
    """One message over the WebSocket."""

    janus: StrictStr
    transaction: Maybe[StrictStr] = None
    session_id: Maybe[StrictInt] = None
    sender: Maybe[StrictInt] = None
    """The handle that it is for."""
    data: Maybe[Made] = None
    error: Maybe[Refusal] = None
    reason: Maybe[StrictStr] = None
    plugin: Maybe[Plugin] = Field(None, alias="plugindata")
    jsep: Maybe[Description] = None

    @property
    def said(self) -> Said:
        """By the plugin; nothing, if need be."""
        return (self.plugin and self.plugin.data) or Said()


def read_message(text: str, mistakes: Mistakes) -> Message | None:
    """`None` for what is no message of Janus's."""
    try:
        return Message.model_validate_json(text, context=mistakes)
    except ValidationError as error:
        mistakes.tell("message", error)
        return None
