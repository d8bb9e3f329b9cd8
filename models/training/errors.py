"""What the operator of a training can mend."""

from __future__ import annotations

from models.errors import MattingError


class TrainingError(MattingError):
    """The operator's: a plan, a run or an encoder that cannot be used; says what to do."""
