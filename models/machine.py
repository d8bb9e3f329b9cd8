"""What a measured figure has to name: machine, versions, date. Imports no more than torch does."""

from __future__ import annotations

import importlib.metadata
from datetime import UTC, datetime
from typing import Final

import cv2
import numpy as np
import torch

from models.device import Device
from models.processor import processors

DISTRIBUTION: Final = "cleanplate"


def machine_name(device: Device) -> str:
    """Where this runs: the device, and the number of cores where that matters."""
    if device.kind != "cpu":
        return device.name
    cores = processors()
    return f"{device.name}, {cores} core{'' if cores == 1 else 's'}"


def versions() -> dict[str, str]:
    """Of what takes part in the computing."""
    try:
        own = importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        own = "not installed"
    return {
        DISTRIBUTION: own,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def now() -> str:
    """Today, in UTC."""
    return datetime.now(UTC).date().isoformat()
