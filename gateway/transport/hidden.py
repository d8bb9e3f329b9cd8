"""Private attributes of aiortc's classes, by their mangled names."""

from __future__ import annotations

from typing import Any


class TransportChanged(Exception):
    """aiortc no longer has what this package builds on; pin the version named in the package."""


def _mangled(owner: type, name: str) -> str:
    return f"_{owner.__name__}__{name}"


def read(instance: object, owner: type, name: str) -> Any:
    """`instance.__name` as code inside the class `owner` sees it."""
    try:
        return getattr(instance, _mangled(owner, name))
    except AttributeError as error:
        raise TransportChanged(f"{owner.__name__}.__{name} is gone") from error


def write(instance: object, owner: type, name: str, value: object) -> None:
    """Replace `instance.__name`, attribute or method; it must exist already."""
    read(instance, owner, name)
    setattr(instance, _mangled(owner, name), value)


def method(instance: object, name: str) -> Any:
    """A method with one underscore."""
    found = getattr(instance, name, None)
    if not callable(found):
        raise TransportChanged(f"{type(instance).__name__}.{name} is gone")
    return found


def replace(instance: object, name: str, function: object) -> None:
    """Put a function in the place of such a method, on this instance only."""
    method(instance, name)
    setattr(instance, name, function)
