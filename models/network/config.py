"""Which network it is, and how much of a frame it refines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Backbone = Literal["mobilenetv2", "resnet50", "resnet101"]
RefineMode = Literal["sampling", "thresholding", "full"]


@dataclass(frozen=True, slots=True)
class MattingConfig:
    """The choices of one matting network (Lin et al. 2021, section 3 and appendix).

    `backbone` and `refine_kernel` decide which parameters exist; all other fields are free at
    inference and may change from frame to frame.

    Raises:
        ValueError: a field is outside its range.
    """

    backbone: Backbone = "mobilenetv2"

    base_scale: float = 0.25
    """Side of the base network's input over side of the source: 1/8 to 1/2."""

    refine_mode: RefineMode = "sampling"
    """`sampling` refines a fixed number of patches, which bounds the time of a frame;
    `thresholding` refines where the predicted error is high; `full` refines everywhere."""

    refine_pixels: int = 80_000
    """Output pixels refined per image in `sampling` mode; a patch is 4x4 = 16 of them."""

    refine_threshold: float = 0.1
    """Predicted error, 0 to 1, above which `thresholding` refines a patch."""

    refine_kernel: Literal[1, 3] = 3
    """Side of the refiner's convolutions."""

    prevent_oversampling: bool = True
    """Leave out sampled patches whose predicted error is exactly 0, as published. Turn it off for
    a fixed amount of work per frame."""

    def __post_init__(self) -> None:
        if self.backbone not in get_args(Backbone):
            raise ValueError(f"backbone must be one of {get_args(Backbone)}, not {self.backbone!r}")
        if not 0.125 <= self.base_scale <= 0.5:
            raise ValueError(f"base_scale must be between 1/8 and 1/2, not {self.base_scale}")
        if self.refine_mode not in get_args(RefineMode):
            raise ValueError(
                f"refine_mode must be one of {get_args(RefineMode)}, not {self.refine_mode!r}"
            )
        if self.refine_pixels < 0:
            raise ValueError(f"refine_pixels must not be negative, not {self.refine_pixels}")
        if not 0 <= self.refine_threshold <= 1:
            raise ValueError(f"refine_threshold must be in 0..1, not {self.refine_threshold}")
        if self.refine_kernel not in (1, 3):
            raise ValueError(f"refine_kernel must be 1 or 3, not {self.refine_kernel}")
