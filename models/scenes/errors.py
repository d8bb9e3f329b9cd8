"""What can be wrong with material: the operator's to mend, so the message says how."""

from __future__ import annotations

from models.errors import MattingError


class MaterialMissing(MattingError):
    """A folder, or its part for a split, is not there; says which, with what in it."""


class MaterialUnfit(MattingError):
    """Material is there but cannot be used so; says which file or name is wrong, and why."""
