"""What bytes lose against floats, from a report of `cleanplate evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.weights.card import Card

LIMIT: Final = 0.02
"""Share by which the mean alpha error may grow; with more, bytes are not used unasked."""

_METRICS = ("alpha_mad", "alpha_mse", "dtssd")


def measured(report: Mapping[str, Any], card: Card) -> dict[str, Any] | None:
    """For the card's table, if the report has these weights in fp32 and in int8 side by side."""
    entries = {
        str(entry.get("settings", {}).get("precision")): entry
        for entry in report["entries"]
        if entry.get("sha256") == card.sha256
    }
    floats, integers = (entries.get(f"openvino {name}") for name in ("fp32", "int8"))
    if floats is None or integers is None:
        return None
    found: dict[str, Any] = {}
    for title, examined in report["sets"].items():
        fp32, int8 = examined[floats["name"]], examined[integers["name"]]
        told = report.get("scenes", {}).get(title, {})
        figures: dict[str, Any] = {}
        for metric in _METRICS:
            if metric in fp32 and metric in int8:  # the last one where there were clips
                figures[f"{metric}_fp32"], figures[f"{metric}_int8"] = fp32[metric], int8[metric]
                figures[f"{metric}_more"] = round(int8[metric] / fp32[metric] - 1, 4)
        found[title] = figures | {k: told[k] for k in ("scenes", "clips", "size") if k in told}
    return {
        **{key: report[key] for key in ("command", "machine", "date")},
        **{key: integers["settings"][key] for key in ("base_scale", "refine_pixels")},
        "sets": found,
    }


def little(measured: object) -> bool:
    """Whether all that was measured is below `LIMIT`, and something was."""
    sets = measured.get("sets") if isinstance(measured, Mapping) else None
    if not isinstance(sets, Mapping) or not sets:
        return False
    grown = [each.get("alpha_mad_more") for each in sets.values() if isinstance(each, Mapping)]
    return len(grown) == len(sets) and all(
        isinstance(share, int | float) and share < LIMIT for share in grown
    )
