"""Programs of whole frames on the processor, and pictures for them."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from models import colour
from models.backends import Fit
from models.graphs.features import PlateFeatures, plate_features
from models.graphs.frame import WholeFrame
from models.graphs.network import FrameNetwork
from models.network import MattingNetwork
from models.report import I420
from tests.models.published import published_parameters


def make_published() -> MattingNetwork:
    """A network whose outputs spread over their whole range."""
    network = MattingNetwork().eval()
    network.load_state_dict(published_parameters(network))
    return network


def frame_network(network: MattingNetwork) -> FrameNetwork:
    return FrameNetwork(
        network,
        device=torch.device("cpu"),
        dtype=torch.float32,
        memory_format=torch.contiguous_format,
    )


def room(seed: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3), smooth enough to survive I420."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 210, (6, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def source(seed: int, height: int, width: int) -> I420:
    """The room with somebody in it."""
    picture = room(seed, height, width)
    picture[height // 3 :, width // 3 : -width // 3] = (190, 140, 110)
    return colour.to_i420(picture)


def fill(
    program: WholeFrame,
    network: FrameNetwork,
    lane: int,
    frame: I420,
    plate: torch.Tensor,
    backdrop: torch.Tensor,
    fit: Fit | None = None,
) -> PlateFeatures:
    """Put one frame with its plate and backdrop, (1, 3, H, W) each, into a lane."""
    features = plate_features(network, plate, fit or Fit(), program.key.base_size)
    lanes = program.lanes
    with torch.inference_mode():
        lanes.frames[lane].copy_(torch.from_numpy(frame))
        for name in ("plate", "half", "small", "first"):
            getattr(lanes, name)[lane].copy_(getattr(features, name))
        lanes.backdrop[lane].copy_(backdrop[0])
    return features
