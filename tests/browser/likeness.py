"""Questions to a received picture: how much room is in it, and is that the backdrop, the person?

Pictures are H x W x 3 uint8 RGB; errors are in steps of 1/255.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.browser.camera_clip import CameraClip

RGB = NDArray[np.uint8]


def load(path: Path) -> RGB:
    """A picture file."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert pixels is not None, f"{path} is not a picture"
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def covering(picture: RGB, width: int, height: int) -> RGB:
    """The picture scaled and cropped about its middle so that it covers width x height."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return scaled[top : top + height, left : left + width]


def backdrop_error(received: RGB, backdrop: RGB, clip: CameraClip) -> float:
    """Mean distance from the backdrop where the person never is."""
    where = clip.outside
    return float(np.abs(received[where].astype(float) - backdrop[where]).mean())


def room_share(received: RGB, backdrop: RGB, clip: CameraClip) -> float:
    """How much of the room shows through where the person never is: 0 none, 1 all of it.

    The received pixels are explained as backdrop + share * (room - backdrop), least squares.
    """
    where = clip.outside
    behind = backdrop[where].astype(float)
    towards_room = clip.frame(0)[where].astype(float) - behind
    left_over = received[where].astype(float) - behind
    return float((left_over * towards_room).sum() / (towards_room**2).sum())


def person_error(received: RGB, clip: CameraClip) -> float:
    """Median distance from the person, well inside of them, at the moment that fits best."""
    where = clip.inside
    pixels = received[where].astype(float)
    return min(
        float(np.median(np.abs(pixels - frame[where]).mean(axis=1)))
        for frame in clip.standing_frames
    )


def room_error(received: RGB, clip: CameraClip) -> float:
    """Mean distance from the empty room."""
    return float(np.abs(received.astype(float) - clip.frame(0)).mean())
