"""Keeping the plate valid while the camera's exposure and white balance drift.

Per frame, on thumbnails: where the last frame showed no person, a robust fit of gain and offset per
channel takes the plate's colours to the source's. What the fit leaves over tells how far to trust
the plate. The precedent is the first background matting's bias and gain around the person
(Sengupta et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.backends import Fit
from models.report import Validity

Floats = NDArray[np.float32]

THUMBNAIL: Final = (72, 128)
"""Rows and columns: enough for a fit of 6 numbers, at 0.5 ms per frame."""

EMPTY_ALPHA: Final = 0.03
"""Alpha of the last frame below which a thumbnail's pixel belongs to the scene."""

FEWEST_PIXELS: Final = 0.05
"""Share of the thumbnail that must be scene for a fit; a person close to the camera leaves less,
and the last fit is held."""

GAIN_LIMITS: Final = (0.5, 2.0)
OFFSET_LIMIT: Final = 0.2
"""Beyond these (one stop, 50 steps) it is another scene, not another exposure."""

PRIOR: Final = 1e-3
"""Variance, 0..1 squared, in favour of a gain of 1: a plain wall cannot tell gain from offset."""

QUICK: Final = 0.6
SLOW: Final = 0.15
"""Share of a new fit taken over per frame: quickly when the exposure has changed visibly (the
camera adapts within half a second), slowly against noise."""

VISIBLE: Final = 2.5 / 255
"""Change of the fitted plate that counts as visible."""

USUAL_RESIDUAL: Final = 4.0 / 255
"""Residual, 90th percentile over the scene, of a thumbnail that fits, plus three times its noise:
codecs leave 2 to 3 steps. One unit of drift."""

USUAL_SHIFT: Final = 0.25
"""Displacement, in thumbnail pixels (5 per 1000 of the width each), that is one unit of drift:
training moved the plate by up to 6 per 1000."""

INVALID: Final = 2.0
"""Drift from which the plate is called invalid; from 1 it is drifting."""

FARTHEST: Final = 1.5
"""Displacement by phase correlation, in thumbnail pixels, from which the camera has moved. On 60
held-back rooms with people, a still camera measured at most 1.0 (more under one strong shadow,
which `BETTER` sorts out), one turned by 2 % at least 1.9: `models.evaluation.recognition`."""

FOUND: Final = 0.1
"""Response of phase correlation from which a displacement is believed: there, 0.6 in the median for
a scene that is in the picture, 0.06 for another room."""

BETTER: Final = 0.8
"""Residual of the displaced plate over that of the plate as it is: below this it has moved."""

EDGE: Final = 4.0 / 255
"""Gradient per thumbnail pixel that counts as an edge."""

STRUCTURED: Final = 0.08
"""Share of edges from which a scene can be recognised; a plain wall has fewer."""

UNSEEN: Final = 1.5 * INVALID
"""Drift of a frame in which nothing looks like the plate: invalid after a third of a second, in
which somebody may pass close to the camera. Also the most that one frame can count."""

DRIFT_SMOOTHING: Final = 0.1
"""Share of a new drift taken over per frame: a passing shadow is no alarm, a moved camera is within
a second."""


@dataclass(slots=True)
class PlateTracker:
    """Fit and drift of one plate over the frames of one stream."""

    plate: Floats
    """(72, 128, 3), the plate's thumbnail, 0..1."""
    noise: float
    """Standard deviation of a source's pixel around the plate, 0..1."""
    fit: Fit = field(default_factory=Fit)
    lost: bool = False
    """The camera looks elsewhere: what is taken for a person may be the room. Light alone, a shadow
    say, spoils a matte but shows nobody's room, so it counts for `drift` only."""
    _residual: float = 0.0
    _displacement: float = 0.0

    def distrust(self) -> None:
        """Another camera, or an old plate: lost until some frames in a row have fitted."""
        self.lost = True
        self._displacement = UNSEEN

    @property
    def drift(self) -> float:
        """See `models.report.Composite.drift`."""
        return max(self._residual, self._displacement)

    @property
    def validity(self) -> Validity:
        """The drift in a word."""
        if self.lost or self.drift >= INVALID:
            return "invalid"
        return "drifting" if self.drift >= 1 else "good"

    def follow(self, source: Floats, alpha: Floats | None) -> Fit:
        """The fit for the next frame.

        Args:
            source: (72, 128, 3), the frame's thumbnail, 0..1.
            alpha: (72, 128), of the frame before, 0..1; `None` if there is none: then whatever most
                of the picture agrees on is taken for the scene.
        """
        empty = self._empty(alpha)
        certain = empty.mean() >= FEWEST_PIXELS
        # With no scene in sight the light may have changed so much that the network takes
        # everything for a person. What most of the picture agrees on leads out of that.
        chosen = empty if certain else np.ones_like(empty)
        # Every second row and column: six numbers do not need more.
        some = chosen[::2, ::2]
        fit, agreed = _robust_fit(
            self.plate[::2, ::2][some], source[::2, ::2][some], keep=0.9 if certain else 0.5
        )
        if certain or agreed <= USUAL_RESIDUAL:
            self.fit = self._smoothed(fit)
        if alpha is not None:
            self._watch(source, empty if certain else None)
        return self.fit

    def apart(self, source: Floats) -> Floats:
        """(72, 128), 0..1: how far a frame's thumbnail is from the fitted plate's, in the channel
        that is farthest; means of 3x3, against noise."""
        gain, offset = (np.asarray(each, np.float32) for each in (self.fit.gain, self.fit.offset))
        away = cv2.split(np.abs(cv2.blur(source - (self.plate * gain + offset), (3, 3))))
        return np.asarray(cv2.max(cv2.max(away[0], away[1]), away[2]), np.float32)

    def _empty(self, alpha: Floats | None) -> NDArray[np.bool_]:
        if alpha is None:
            return np.zeros(THUMBNAIL, np.bool_)
        # One pixel of margin: the person moves between frames.
        grown = cv2.dilate(alpha, np.ones((3, 3), np.uint8))
        return np.asarray(grown < EMPTY_ALPHA)

    def _smoothed(self, new: Fit) -> Fit:
        old = self.fit
        middle = float(self.plate.mean())
        apart = max(
            abs((n - o) * middle + p - q)
            for n, o, p, q in zip(new.gain, old.gain, new.offset, old.offset, strict=True)
        )
        share = QUICK if apart > VISIBLE else SLOW
        return Fit(_between(old.gain, new.gain, share), _between(old.offset, new.offset, share))

    def _watch(self, source: Floats, empty: NDArray[np.bool_] | None) -> None:
        """Judge a frame; `empty` is `None` where no scene is in sight."""
        fitted, grey = _grey(self.plate, self.fit), _grey(source, Fit())
        apart = grey - fitted
        elsewhere, recognised = _recognise(fitted, grey)
        if empty is None:
            # A light that changed at a stroke is followed within frames; what cannot be followed
            # is another scene, or somebody so close that nothing of it is left to show.
            fits = np.percentile(np.abs(apart), 50) <= USUAL_RESIDUAL
            self._doubt(self._residual, 0.0 if fits and not elsewhere else UNSEEN)
            return
        residual = float(np.percentile(np.abs(apart[empty]), 90))
        usual = USUAL_RESIDUAL + 3 * self.noise / 4  # a thumbnail's pixel is the mean of 16 or more
        # A shadow or new light does not fit, and is recognised by its edges all the same.
        another = residual / usual >= INVALID and not recognised
        shift = _shift(fitted, apart, empty) / USUAL_SHIFT
        self._doubt(residual / usual, UNSEEN if elsewhere or another else shift)

    def _doubt(self, residual: float, displacement: float) -> None:
        """Take over a frame's measures, in units of drift, a little."""
        self._residual += DRIFT_SMOOTHING * (min(residual, UNSEEN) - self._residual)
        self._displacement += DRIFT_SMOOTHING * (min(displacement, UNSEEN) - self._displacement)
        # Found again only when it fits well: at the edge, a room must not flash up and vanish.
        self.lost = self._displacement >= (1.0 if self.lost else INVALID)


def _robust_fit(plate: Floats, source: Floats, keep: float) -> tuple[Fit, float]:
    """Gain and offset from `plate` to `source`, (n, 3) each, of the pixels that agree best.

    Also returns the mean residual of the share `keep` that was used.
    """
    # A row per channel: NumPy is slow along axes of three.
    x, y = np.ascontiguousarray(plate.T), np.ascontiguousarray(source.T)
    gain: Floats = np.ones((3, 1), np.float32)
    offset: Floats = np.median(y - x, axis=1, keepdims=True)
    count = max(int(keep * len(plate)), 2)
    residual = 0.0
    for _ in range(3):
        apart = np.abs(x * gain + offset - y)
        worst = np.maximum(np.maximum(apart[0], apart[1]), apart[2])
        kept = worst <= np.partition(worst, count - 1)[count - 1]
        share = (kept / np.count_nonzero(kept)).astype(np.float32)
        residual = float(worst @ share)
        mean_x, mean_y = (x @ share)[:, None], (y @ share)[:, None]
        away = (x - mean_x) * share
        variance = np.einsum("cn,cn->c", away, x - mean_x)[:, None] + PRIOR
        covariance = np.einsum("cn,cn->c", away, y - mean_y)[:, None] + PRIOR
        gain = np.clip(covariance / variance, *GAIN_LIMITS)
        offset = np.clip(mean_y - gain * mean_x, -OFFSET_LIMIT, OFFSET_LIMIT)
    return Fit(_triple(gain[:, 0]), _triple(offset[:, 0])), residual


def _grey(thumbnail: Floats, fit: Fit) -> Floats:
    """The mean of the channels once `fit` is applied, (72, 128)."""
    weights = np.array([[*fit.gain, sum(fit.offset)]], np.float32) / 3
    return np.asarray(cv2.transform(thumbnail, weights), np.float32)


def recognition(plate: Floats, source: Floats) -> tuple[float, float]:
    """How far the scene is displaced, in thumbnail pixels, and how surely it was found (0..1)."""
    (across, down), response = _correlate(plate, source)
    return float(np.hypot(across, down)), response


def _correlate(plate: Floats, source: Floats) -> tuple[tuple[float, float], float]:
    window = cv2.createHanningWindow((THUMBNAIL[1], THUMBNAIL[0]), cv2.CV_32F)
    # Copies: OpenCV 5 leaves the window in what it was given.
    (across, down), response = cv2.phaseCorrelate(plate.copy(), source.copy(), window)
    return (across, down), float(response)


def _recognise(plate: Floats, source: Floats) -> tuple[bool, bool]:
    """Whether the scene is found elsewhere in the picture, and whether it is found at all.

    By phase correlation (Kuglin and Hines 1975). Sees what `_shift` cannot: a scene so far off that
    the network takes its edges for a person.
    """
    (across, down), response = _correlate(plate, source)
    if response <= FOUND:
        across_plate, down_plate = np.gradient(plate)
        edges = np.hypot(across_plate, down_plate) > EDGE
        # A plain wall has nothing to be recognised by.
        return False, bool(edges.mean() < STRUCTURED)
    if np.hypot(across, down) <= FARTHEST:
        return False, True
    # A plain wall is found anywhere. Only a scene that fits better there has moved there.
    there = cv2.warpAffine(
        plate,
        np.array([[1, 0, across], [0, 1, down]]),
        (THUMBNAIL[1], THUMBNAIL[0]),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float("nan"),
    )
    known = np.isfinite(there)
    here = np.abs(source - plate)[known]
    moved = bool(np.median(np.abs(source - there)[known]) < BETTER * np.median(here))
    # Two rooms are alike somewhere by chance; one that is neither here nor there is another.
    return moved, moved


def _shift(plate: Floats, apart: Floats, empty: NDArray[np.bool_]) -> float:
    """How far the scene is displaced, in pixels of the thumbnail (Lucas and Kanade 1981)."""
    across = cv2.Sobel(plate, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)[empty]
    down = cv2.Sobel(plate, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)[empty]
    change = apart[empty]
    # Doubt of 4 steps per pixel: it takes edges to call it a shift. On a wall with a slope of light
    # a little too much gain looks like one.
    doubt = np.eye(2) * (len(change) * (4 / 255) ** 2)
    structure = np.array([[across @ across, across @ down], [across @ down, down @ down]])
    pull = np.array([across @ change, down @ change])
    return float(np.hypot(*np.linalg.solve(structure + doubt, -pull)))


def _between(
    old: tuple[float, float, float], new: tuple[float, float, float], share: float
) -> tuple[float, float, float]:
    return _triple(np.asarray(old) + share * (np.asarray(new) - np.asarray(old)))


def _triple(values: NDArray[np.floating]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
