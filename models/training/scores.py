"""What `cleanplate evaluate` measured goes into a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from models.errors import MattingError, WeightsError
from models.quantisation.loss import measured
from models.quantisation.ranges import MEASURED
from models.weights import Card, find_card
from models.weights.card import write_card

SAID: Final = "seen"
"""Key of what somebody saw in the pictures."""

KEPT: Final = (SAID, "missed")
"""Words that stay when figures are renewed; `missed` says what fell short of the aim, and why."""

_DESCRIBED = ("scenes", "clips", "size", "recipe")


def score(
    name: str, report: Path, *, seen: str | None = None, folders: tuple[Path, ...] | None = None
) -> Card:
    """Replace the scores of a card by those of a report.

    A report of the weights in fp32 and in int8 (`--backend`) says what int8 loses: that goes beside
    its ranges, and the scores stay.

    Args:
        name: of the card.
        report: `report.json`, in which the very weights of the card were examined.
        seen: in words, what is visibly wrong; what the card says already if not given.
        folders: where cards are; the operator's and the published ones.

    Raises:
        WeightsError: no such card, its file is not the card's, or not the one in the report.
        MattingError: the report cannot be read.
    """
    card = find_card(name, folders)
    card.check_file()
    content = _read(report)
    entry = _entry(content, card, report)
    path = card.path.parent / f"{card.name}.toml"
    if card.int8 and (loss := measured(content, card)):
        fresh = replace(card, int8={**card.int8, MEASURED: loss})
        write_card(fresh, path)
        return fresh
    key = entry["name"]
    scores: dict[str, Any] = {}
    for title, examined in content["sets"].items():
        if key not in examined:
            continue
        figures = {
            metric: value
            for metric, value in examined[key].items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        told = content.get("scenes", {}).get(title, {})
        described = {one: told[one] for one in _DESCRIBED if one in told}
        rivals = content.get("wins", {}).get(title, {}).get(key, {})
        better = {
            _bare(rival): f"{wins['alpha_mad']} of {wins['samples']} samples"
            for rival, wins in rivals.items()
        }
        beside = {"less_mad_than": better} if better else {}
        scores[_bare(title)] = {**figures, **described, **beside}
    scores["measured"] = {
        "command": content["command"],
        "machine": content["machine"],
        "date": content["date"],
        **{_bare(one): value for one, value in dict(entry.get("settings", {})).items()},
    }
    scores |= {word: card.scores[word] for word in KEPT if word in card.scores}
    if seen is not None:
        scores[SAID] = seen
    fresh = replace(card, scores=scores)
    write_card(fresh, path)
    return fresh


def _read(report: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MattingError(
            f"{report} cannot be read as a report ({error}): name the report.json that "
            "`cleanplate evaluate --report FOLDER` writes"
        ) from error
    wanted = ("command", "machine", "date", "entries", "sets")
    missing = [key for key in wanted if not isinstance(content, dict) or key not in content]
    if missing:
        raise MattingError(
            f"{report} is no report of `cleanplate evaluate`: it lacks {', '.join(missing)}"
        )
    return dict(content)


def _entry(content: Mapping[str, Any], card: Card, report: Path) -> Mapping[str, Any]:
    """What the report says about exactly these weights."""
    for entry in content["entries"]:
        if entry.get("sha256") == card.sha256:
            return dict(entry)
    others = ", ".join(str(entry.get("name")) for entry in content["entries"]) or "nothing"
    raise WeightsError(
        f"{report} did not examine these weights ({card.name}, SHA-256 {card.sha256[:12]}...) but "
        f"{others}: run `cleanplate evaluate --weights {card.name} --report FOLDER` and give its "
        "report.json"
    )


def _bare(word: str) -> str:
    """A key that TOML takes without quotes."""
    return "-".join("".join(c if c.isalnum() or c == "_" else " " for c in word).split())
