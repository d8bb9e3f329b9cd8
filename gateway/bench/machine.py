"""Where and with what something was measured."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, datetime
from typing import Final

from gateway import __version__
from models.processor import processor_name, processors

LIBRARIES: Final = ("aiortc", "av", "numpy", "torch", "openvino")
"""Whose versions decide what is measured."""


def machine() -> str:
    """The processor and how many of its cores may be used."""
    return f"{processor_name()}, {processors()} cores"


def versions() -> dict[str, str]:
    """Of what takes part."""
    found = {"cleanplate": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """In UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
