"""How often what happens: before the camera (`Recipe`) and in it (`Degradation`).

The defaults are those that mobilenetv2.rooms-1 was trained with; `models.scenes.recipes` says what
is used now.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How scenes are drawn. Numbers are chances, unless they say otherwise."""

    two_people: float = 0.12
    nobody: float = 0.03
    props: float = 0.15
    shadows: float = 0.5
    lookalike: float = 0.2
    """Clothes in the room's colour."""
    misaligned: float = 0.5
    """The camera moved between plate and source."""
    shift: float = 0.006
    """Largest movement, as share of the width (paper appendix C: 1 %, and 1 degree)."""
    turn: float = 0.4
    """Largest rotation in degrees."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Range of the enlargement of all that is seen: a scene of 640x360 at zoom 2 is a window of
    one of 1280x720, for the price of the window."""
    focus: float = 0.0
    """A soft pixel of the person (hair, fur, motion) is put near the middle, so that a window
    shows what is hard more often than frames do."""
    affine: bool = True
    """People and rooms are scaled, turned and moved, each by themselves; else they are upright in
    the middle."""
    flip: float = 0.5
    """Mirrored: people and rooms, each by themselves."""
    grade: float = 1.0
    """People have their own light: brightness, contrast, saturation, tint."""
    colours: float = 0.0
    """Brightness, contrast and saturation of the room, and hue of people and room, each by
    themselves."""
    soft: float = 0.0
    """People, and the room, are blurred: each by themselves, the room in plate and source."""
    crisp: float = 0.0
    """People, and the room, are sharpened."""
    grainy: float = 0.0
    """People, and the room, carry the noise of the camera that took their picture."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """What two cameras, of the source and of the plate, do to a scene. Numbers are chances,
    unless they say otherwise."""

    light: float = 0.6
    """Another exposure and white balance for source and plate alike."""
    dim: float = 0.12
    """Low light: dark, and noisier."""
    drift: float = 0.7
    """Exposure and white balance of the plate alone drift."""
    exposure: float = 1.0
    """Share of the drift's full strength that brightness takes."""
    tint: float = 1.0
    """The same for the white balance."""
    shade: float = 0.25
    """The light falls differently over the plate."""
    defocus: float = 0.15
    sharpen: float = 0.15
    noise: float = 0.8
    median: float = 0.0
    """The plate is the median of several noisy frames; else a frame of less noise than others."""
    jpeg: float = 0.25
    vp8: float = 0.15
    h264: float = 0.15
    chroma: float = 0.25
    """4:2:0 and nothing else; at most one of these four is drawn."""
    bitrate: float = 0.0
    """Share of VP8 and H.264 that has a bitrate as WebRTC gives, not a quantiser."""
