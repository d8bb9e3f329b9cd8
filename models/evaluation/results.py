"""A finished examination as plain data: `report.json`, and the table that a terminal shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from models.evaluation.contender import Contender
from models.evaluation.examination import Curve, SetResult, Tally
from models.evaluation.gallery import Looked
from models.evaluation.scores import IN_BAND, METRICS, WHOLE_FRAME, Metric, SampleScores
from models.scenes.public_sets import PUBLIC_SETS

DIGITS: Final = 7
"""Significant digits in the file: more would differ from one processor to the next."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a report tells."""

    command: str
    """Without the paths of this machine: `--data DATA --report REPORT`."""
    machine: str
    date: str
    versions: Mapping[str, str]
    entries: Sequence[Contender]
    sets: Sequence[SetResult]
    curves: Sequence[Curve]
    looked: Sequence[Looked] = ()

    def as_json(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return {
            "command": self.command,
            "machine": self.machine,
            "date": self.date,
            "versions": dict(self.versions),
            "entries": [
                {"name": e.name, "sha256": e.sha256, "settings": dict(e.settings)}
                for e in self.entries
            ],
            "scenes": {result.key: _scenes(result) for result in self.sets},
            "sets": {
                result.key: {name: _tally(tally) for name, tally in result.tallies.items()}
                for result in self.sets
            },
            "wins": {result.key: wins(result) for result in self.sets},
            "curves": {curve.drift.name: _curve(curve) for curve in self.curves},
            "looks": {looked.look.name: _looked(looked) for looked in self.looked},
            "timing": {
                result.key: {
                    name: {"milliseconds_a_still": round(1e3 * tally.seconds / result.scenes, 1)}
                    for name, tally in result.tallies.items()
                }
                for result in self.sets
            },
        }


def wins(result: SetResult) -> dict[str, dict[str, dict[str, Any]]]:
    """How often each contender has the lower error than each other one, sample by sample."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for name, own in result.tallies.items():
        for rival, theirs in result.tallies.items():
            if rival == name:
                continue
            pairs = list(zip(own.samples, theirs.samples, strict=True))
            table.setdefault(name, {})[rival] = {
                "samples": len(pairs),
                "alpha_mad": sum(_better(a, b, "alpha_mad") for a, b in pairs),
                "alpha_mse": sum(_better(a, b, "alpha_mse") for a, b in pairs),
                "lost": [a.name for a, b in pairs if not _better(a, b, "alpha_mad")],
            }
    return table


def best(result: SetResult, metric: Metric) -> set[str]:
    """Names of the contenders with the least mean error; empty where only one was examined."""
    means = {name: tally.means.get(metric) for name, tally in result.tallies.items()}
    known = [value for value in means.values() if value is not None]
    if len(known) < 2:
        return set()
    return {name for name, value in means.items() if value is not None and value == min(known)}


def table(results: Results) -> str:
    """For a terminal: one table a set, the best of each column with a star."""
    blocks = []
    columns = [*WHOLE_FRAME, *IN_BAND]
    width = max(len(entry.name) for entry in results.entries)
    for result in results.sets:
        rows = [" " * width + "".join(f"{METRICS[metric][0]:>11}" for metric in columns)]
        for name, tally in result.tallies.items():
            cells = (cell(tally, metric, name in best(result, metric)) for metric in columns)
            rows.append(f"{name:{width}}" + "".join(f"{text:>11}" for text in cells))
        count = f"{counted(result.scenes, 'scene')}, {counted(_clips(result), 'clip')}"
        blocks.append("\n".join([f"{result.key}: {count}, {result.recipe.title}", *rows]))
    blocks.append(
        "First whole frames, then the band of the trimap; Grad, Conn and SAD in thousands.\n"
        "Less is better, * is the least."
    )
    return "\n\n".join(blocks)


def cell(tally: Tally, metric: Metric, is_best: bool) -> str:
    """A mean for a table, with a star if it is the best; a dash where there is none."""
    value = tally.means.get(metric)
    if value is None:
        return "-"
    return f"{figure(value)}{'*' if is_best else ''}"


def counted(number: int, noun: str) -> str:
    """`1 scene`, `2 scenes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def figure(value: float) -> str:
    """Four decimals below 1, fewer above: errors of a matte for people."""
    magnitude = abs(value)
    if magnitude < 1:
        return f"{value:.5f}"
    return f"{value:.3f}" if magnitude < 100 else f"{value:.1f}"


def _better(own: SampleScores, theirs: SampleScores, metric: Metric) -> bool:
    mine, other = own.values[metric], theirs.values[metric]
    return mine is not None and other is not None and mine < other


def _clips(result: SetResult) -> int:
    return max((len(tally.clips) for tally in result.tallies.values()), default=0)


def _scenes(result: SetResult) -> dict[str, Any]:
    stills = result.stills
    height, width = stills.size
    return {
        "people": PUBLIC_SETS[stills.people.set].title,
        "rooms": PUBLIC_SETS[stills.rooms.set].title,
        "split": stills.people_split,
        "recipe": f"{result.recipe.title}: {result.recipe.text}",
        "size": f"{width}x{height}",
        "scenes": result.scenes,
        "clips": _clips(result),
        "fingerprint": f"{result.fingerprint:08x}",
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        **{metric: _short(value) for metric, value in tally.means.items()},
        "samples": [_sample(scores) for scores in tally.samples],
        "clips": [_short(asdict(scores)) for scores in tally.clips],
    }


def _sample(scores: SampleScores) -> dict[str, Any]:
    values = {metric: value for metric, value in scores.values.items() if value is not None}
    return {
        "name": scores.name,
        **_short(values),
        "band_mse": _short(scores.band_mse),
        "outside_mse": _short(scores.outside_mse),
        "where": {name: _short(asdict(place)) for name, place in scores.where.items()},
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "title": curve.drift.title,
        "unit": curve.drift.unit,
        "scenes": curve.scenes,
        "points": list(curve.drift.points),
        "entries": {
            name: {
                "alpha_mad": _short(curve.alpha_mad[name]),
                "alpha_mse": _short(curve.alpha_mse[name]),
            }
            for name in curve.alpha_mad
        },
    }


def _looked(looked: Looked) -> dict[str, Any]:
    return {
        "title": looked.look.title,
        "rooms": looked.look.rooms,
        "recipe": looked.recipe.name,
        "sheet": looked.file,
        "entries": {name: _tally(tally) for name, tally in looked.tallies.items()},
    }


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_short(inner) for inner in value]
    return value
