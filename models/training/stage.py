"""What one stage of training does, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import ClassVar, Literal

from pydantic import ConfigDict

from models.scenes.recipes import RECIPES

Kind = Literal["base", "joint"]
Precision = Literal["auto", "bf16", "fp16", "fp32"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One `[[stage]]` of a plan. The defaults are those of the first two stages ever trained here,
    so that their checkpoints can still be read.

    Raises:
        ValueError: fields contradict each other.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Kind
    """`base` trains the base network alone, `joint` both (paper section 4)."""
    batch: int
    """Samples a step, over all processes together; at least 2, because the batch norm of the
    pooled ASPP branch sees 1x1 maps."""
    heights: tuple[int, int]
    """Least and largest rows of a step's samples, drawn for every step."""
    widths: tuple[int, int]
    backbone_rate: float
    aspp_rate: float
    decoder_rate: float
    refiner_rate: float
    """Of every module: 0 leaves it as it is, the statistics of its norms too."""
    steps: int = 0
    epochs: int = 0
    """Instead of `steps`, or ended by them: so often over the longer of the foregrounds and
    backgrounds, which are then paired by their numbers as in the published training, not drawn."""
    base_scales: tuple[float, ...] = (0.5,)
    """Joint stage only: every step draws one, so that one set of weights serves them all."""
    refine_pixels: int = 16_000
    """Joint stage only."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Windows of frames up to this much larger (`Recipe.zoom`)."""
    focus: float = 0.0
    """Chance that such a window looks at hair (`Recipe.focus`); recipe `webrtc` only."""
    clean: float = 0.0
    """Share of samples from a good camera; recipe `webrtc` only (see `DrawBatch`)."""
    drifted: float = 0.0
    """Share of samples whose plate has drifted; recipe `webrtc` only (see `DrawBatch`). No plan
    that ships uses it: the card of mobilenetv2.rooms-2 says what came of it."""
    warmup: int = 100
    """Steps over which the rates rise."""
    settle: bool = True
    """Let the rates fall along a cosine to 2 %. The paper keeps them; the fall is ours, because
    with thousands of steps instead of hundreds of thousands the last ones have to settle. What it
    is worth was not measured."""
    clip: float = 5.0
    """Largest norm of the gradient; 0 for none, as in the paper."""
    examine_every: int = 250
    """Steps between two examinations, each with a checkpoint."""
    average: float = 0.998
    """Decay of the exponential moving average of the parameters, which is what is kept; 0 keeps
    the parameters themselves, as in the paper."""
    name: str = ""
    """Of the stage's folder in the run."""
    foregrounds: tuple[str, ...] = ()
    """Names of the plan's material."""
    backgrounds: tuple[str, ...] = ()
    recipe: str = "webrtc"
    """How scenes are made: a key of `models.scenes.recipes.RECIPES`."""
    multiple: int = 16
    """Heights and widths are multiples of this."""
    precision: Precision = "auto"
    """Of the network's arithmetic; `auto` is bf16 where the device has it, else fp32 on a
    processor and fp16 on a GPU."""
    seed: int = 0
    """Added to the run's, so that every stage sees other scenes."""

    def __post_init__(self) -> None:
        if self.steps <= 0 and self.epochs <= 0:
            raise ValueError("give steps or epochs")
        if self.recipe not in RECIPES:
            raise ValueError(f"recipe must be one of {sorted(RECIPES)}, not {self.recipe!r}")
        ours = self.zoom != (1.0, 1.0) or self.focus or self.clean or self.drifted
        if self.recipe == "paper" and ours:
            raise ValueError("zoom, focus, clean and drifted belong to the recipe webrtc alone")
        if not 0 <= self.clean + self.drifted <= 1:
            raise ValueError("clean and drifted are shares of the samples: at most 1 together")
        if self.batch < 2:
            raise ValueError(f"batch must be at least 2, not {self.batch}")
        for name in ("heights", "widths"):
            least, most = getattr(self, name)
            if not self.multiple <= least <= most:
                raise ValueError(f"{name} must be [least, largest], from {self.multiple} on")
        if self.kind == "base" and self.refiner_rate:
            raise ValueError("the base stage has no refiner to train: refiner_rate must be 0")
        if self.kind == "joint" and self.multiple % 4:
            raise ValueError("the joint stage needs sizes that are multiples of 4")

    @property
    def rates(self) -> dict[str, float]:
        """Learning rate of each module."""
        return {
            "backbone": self.backbone_rate,
            "aspp": self.aspp_rate,
            "decoder": self.decoder_rate,
            "refiner": self.refiner_rate,
        }

    def share(self, step: int) -> float:
        """Share of the full learning rates at a step: a short rise, then the cosine if there is."""
        rise = min((step + 1) / self.warmup, 1.0) if self.warmup else 1.0
        fall = 0.02 + 0.98 * 0.5 * (1 + cos(pi * step / self.steps)) if self.settle else 1.0
        return rise * fall
