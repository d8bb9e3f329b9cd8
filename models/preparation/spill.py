"""Spill: the screen's light on the person, strongest where the person's edge faces the screen."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.preparation.screen import KEY_CHANNEL, Kind
from models.preparation.spreading import spread

Floats = NDArray[np.float32]

RIM: Final = 1 / 90
"""How deep spill reaches, as share of the picture's long side: to 1/e of its strength."""


def rim_of(alpha: Floats) -> tuple[Floats, Floats]:
    """The person's rim and inside.

    Args:
        alpha: H x W in 0..1.

    Returns:
        The rim, H x W, 1 at the edge and outside, falling to 0 inside; and where the person is
        solid and beyond the rim, H x W, 0 or 1.
    """
    reach = RIM * max(alpha.shape)
    distance = cv2.distanceTransform((alpha > 0.9).astype(np.uint8), cv2.DIST_L2, 3)
    rim = np.exp(-np.asarray(distance, np.float32) / np.float32(reach))
    return np.asarray(rim, np.float32), (rim < 0.1).astype(np.float32)


def remove_spill(
    colours: Floats, kind: Kind, rim: Floats, inner: Floats, amount: float = 1.0
) -> Floats:
    """Take the screen's light off the person.

    The screen's channel may nowhere exceed the larger of the other two. On the rim it may not
    exceed their mean by more than it does inside the person nearby: blond hair and yellow cloth
    keep their colour, a grey sleeve loses all of its green.

    Args:
        colours: H x W x 3 in 0..1.
        kind: of the screen.
        rim: H x W, 1 at the person's edge, 0 inside.
        inner: H x W, 1 where colours are free of spill.
        amount: 0 leaves everything, 1 takes all.

    Returns:
        H x W x 3; only the screen's channel changes, and only downwards.
    """
    channel = KEY_CHANNEL[kind]
    one, other = (colours[..., index] for index in range(3) if index != channel)
    highest, mean = np.maximum(one, other), (one + other) / 2
    tint = np.clip(colours[..., channel], 0, highest) - mean
    inside = spread(np.asarray(tint[..., None], np.float32), inner)[..., 0]
    allowed = np.maximum(inside, 0) if inner.any() else 0
    limit = np.minimum(highest, highest + rim * (mean + allowed - highest))
    clean = colours.copy()
    clean[..., channel] -= np.float32(amount) * np.maximum(colours[..., channel] - limit, 0)
    return clean
