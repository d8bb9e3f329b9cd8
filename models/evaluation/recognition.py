"""`python -m models.evaluation.recognition --data DATA`: does the tracker know its scene?

Rooms of the validation split with a person in them: the camera stands still, stands still while a
strong shadow falls, has turned by a share of the width, or looks at another room of which a sixth
passes for the scene. Prints how often the tracker calls its scene lost, and the measures its limits
were chosen by.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.camera import from_bytes
from models.scenes.composition import Recipe, compose
from models.scenes.material import people_files, read_pictures, room_files
from models.tracking import THUMBNAIL, PlateTracker, recognition

Floats = NDArray[np.float32]

FRAMES: Final = 40
TURNS: Final = (0.01, 0.02, 0.05, 0.12)
"""Shares of the picture's width."""


def thumbnail(picture: Floats) -> Floats:
    """(72, 128, 3)."""
    small = cv2.resize(picture, THUMBNAIL[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def lost(plate: Floats, source: Floats, alpha: Floats) -> bool:
    """Whether the tracker loses its scene within `FRAMES` frames of the same picture."""
    rng = np.random.default_rng(0)
    tracker = PlateTracker(plate, noise=0.01)
    for _ in range(FRAMES):
        grain = rng.normal(0, 0.004, source.shape)
        tracker.follow(np.clip(source + grain, 0, 1).astype(np.float32), alpha)
    return tracker.lost


def examine(data: Path, count: int) -> dict[str, object]:
    """Shares of `count` rooms, 0..1, and the spread of every measure."""
    people = read_pictures(people_files(data / "people", "validation")[:count], 4)
    rooms = read_pictures(room_files(data / "rooms", "validation")[:count], 3)
    calls: dict[str, list[bool]] = {}
    measures: dict[str, list[tuple[float, float]]] = {}
    recipe = Recipe(nobody=0, two_people=0, props=0, shadows=0, lookalike=0, misaligned=0)
    for index, room in enumerate(rooms):
        rng = np.random.default_rng(index)
        scene = compose([people[index % len(people)]], [room], (360, 720), rng, recipe)
        mask = scene.alpha[..., None]
        plate, alpha = thumbnail(scene.empty[:, :640]), thumbnail(scene.alpha[:, :640])
        shadow = cv2.GaussianBlur(np.roll(scene.alpha, 60, 1), (0, 0), 25)[..., None]
        shaded = mask * scene.foreground + (1 - mask) * scene.empty * (1 - 0.35 * shadow)
        views = {"still": thumbnail(np.asarray(scene.picture[:, :640], dtype=np.float32))}
        views["shadow"] = thumbnail(np.asarray(shaded[:, :640], dtype=np.float32))
        for turn in TURNS:
            moved = scene.empty[:, (d := round(turn * 640)) : d + 640]
            seen = mask[:, :640] * scene.foreground[:, :640] + (1 - mask[:, :640]) * moved
            views[f"turned {turn:.0%}"] = thumbnail(np.asarray(seen, dtype=np.float32))
        other = from_bytes(rooms[(index + 13) % len(rooms)])
        for name, view in views.items():
            calls.setdefault(name, []).append(lost(plate, view, alpha))
            measures.setdefault(name, []).append(recognition(plate.mean(2), view.mean(2)))
        partly = np.ones(THUMBNAIL, np.float32)
        partly[:, : THUMBNAIL[1] // 6] = 0
        elsewhere = thumbnail(other)
        calls.setdefault("another room", []).append(lost(plate, elsewhere, partly))
        measures.setdefault("another room", []).append(
            recognition(plate.mean(2), elsewhere.mean(2))
        )
    return {
        "rooms": len(rooms),
        "lost": {name: round(float(np.mean(values)), 3) for name, values in calls.items()},
        "displacement and response, least, median, most": {
            name: np.percentile(values, [0, 50, 100], axis=0).T.round(2).tolist()
            for name, values in measures.items()
        },
    }


def main() -> None:
    """Print the examination as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with people/ and rooms/")
    parser.add_argument("--rooms", type=int, default=60)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(examine(arguments.data, arguments.rooms), indent=1) + "\n")


if __name__ == "__main__":
    main()
