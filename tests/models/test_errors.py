"""Errors say whose fault it is and what to do."""

from __future__ import annotations

import subprocess
import sys

from models.errors import ADVICE, MattingError, PlateRefused


def test_a_refusal_carries_its_reason_and_a_sentence_for_the_person():
    refusal = PlateRefused("moved", "12 % of the picture")
    assert isinstance(refusal, MattingError)
    assert refusal.reason == "moved"
    assert refusal.advice.endswith("try again.")
    assert "12 %" in str(refusal)


def test_every_reason_has_advice():
    assert set(ADVICE) == {"moved", "too-dark", "too-bright", "blurred", "too-few"}


def test_plain_data_is_importable_without_torch():
    code = (
        "import sys, models.errors, models.backdrop, models.report;"
        "raise SystemExit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
