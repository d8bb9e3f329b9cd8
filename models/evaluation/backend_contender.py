"""What a live stream runs, examined: a backend of its own beside the network in plain torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from models.backends import Backend, Precision
from models.backends.choice import open_backend
from models.device import choose_device
from models.evaluation.contender import Answer, Picture
from models.operating_point import OperatingPoint
from models.quantisation.ranges import load_ranges
from models.scenes.camera import from_bytes, to_bytes
from models.weights import card_of, load_network


@dataclass(slots=True)
class BackendContender:
    """One set of weights in OpenVINO, in one precision, frame by frame, on the processor."""

    backend: Backend[Any]
    name: str
    point: OperatingPoint
    sha256: str | None = None

    @classmethod
    def load(
        cls, weights: str, precision: Precision, base_scale: float, refine_pixels: int
    ) -> BackendContender:
        """From the name of a card or of a file that has one.

        Raises:
            WeightsError: there are no such weights, or they are damaged.
            DeviceError: OpenVINO is not here, or the card has no ranges for int8.
        """
        card, ranges = card_of(weights), load_ranges(weights)
        network = load_network(weights)
        network = network.with_settings(base_scale=base_scale, refine_pixels=refine_pixels)
        return cls(
            open_backend(network, choose_device("cpu"), ranges, precision),
            f"{card.name if card else weights} {precision}",
            OperatingPoint(base_scale, refine_pixels),
            card.sha256 if card else None,
        )

    @property
    def settings(self) -> Mapping[str, object]:
        """Operating point and backend."""
        return {
            "base_scale": self.point.base_scale,
            "refine_pixels": self.point.refine_pixels,
            "device": "cpu",
            "precision": self.backend.name,
        }

    def start(self) -> None:
        """Nothing to forget: every frame is answered by itself."""

    @torch.inference_mode()
    def matte(self, source: Picture, plate: Picture) -> Answer:
        """See `Contender.matte`; pictures are rounded to bytes, as a live stream's are."""
        backend, point = self.backend, self.point
        seen, empty = (backend.upload_rgb(to_bytes(each)) for each in (source, plate))
        cutout = backend.refine(seen, empty, backend.base(seen, empty, point), point)
        alpha, foreground = backend.read(cutout)
        return Answer(alpha.copy(), from_bytes(foreground))
