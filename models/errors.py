"""What can go wrong in matting, by whose fault it is. Imports no torch.

MattingError            ours: a frame could not be processed
+-- PlateRefused        the person's: the shots do not show a still, empty, well-lit scene
+-- PictureError        the caller's: a picture or frame that cannot be used
+-- WeightsError        the operator's: a weights file is missing, damaged or of another network
+-- DeviceError         the operator's: the requested device or backend is not there
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

RefusalReason: TypeAlias = Literal["moved", "too-dark", "too-bright", "blurred", "too-few"]

ADVICE: Final[dict[RefusalReason, str]] = {
    "moved": "Something moved. Step out of the picture, keep the camera still and try again.",
    "too-dark": "The picture is too dark to learn from. Turn on a light and try again.",
    "too-bright": "The picture is overexposed. Close the curtains or turn the camera away from "
    "the window and try again.",
    "blurred": "The picture is out of focus. Clean the lens or let the camera focus, then try "
    "again.",
    "too-few": "Too few frames arrived to learn the scene. Check the connection and try again.",
}
"""One sentence per reason, for the person in front of the camera."""


class MattingError(Exception):
    """Matting failed for a reason the caller did not cause; the next frame may work."""


class PlateRefused(MattingError):
    """The shots cannot become a plate; the previous plate, if any, stays in use."""

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        """Refuse for `reason`; `detail` holds the measured numbers, for logs."""
        self.reason: RefusalReason = reason
        self.advice: str = ADVICE[reason]
        self.detail = detail
        super().__init__(f"{self.advice} ({detail})" if detail else self.advice)


class PictureError(MattingError):
    """A picture or frame has the wrong size, layout or contents; the caller must send another."""


class WeightsError(MattingError):
    """Weights are missing, damaged or belong to another network; the message says what to do."""


class DeviceError(MattingError):
    """The requested device or backend cannot be used here; the message says what can."""
