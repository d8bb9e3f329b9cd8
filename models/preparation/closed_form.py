"""Alpha and foreground of ordinary photos: closed-form matting, in bounded memory.

Levin, Lischinski and Weiss 2006, A Closed Form Solution to Natural Image Matting, and Germer et al.
2020, Fast Multi-Level Foreground Estimation, both as pymatting has them.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from types import ModuleType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import MattingError
from models.preparation.tiles import tiles
from models.preparation.trimap import UNKNOWN

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LARGEST: Final = 500_000
"""Pixels solved at once: the matting Laplacian and its factor take about 1 kB for each."""

SIDE: Final = 512
OVERLAP: Final = 48
FRAME: Final = 2
"""Width of a tile's rim that is held to the coarser solution: the Laplacian's windows reach 2."""

SHIFTS: Final = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
"""Added to the diagonal until a factor exists. Not 0 first, which fails for blurred photos."""

FILL: Final = 200
"""Most entries of the factor for one pixel: this bounds its memory."""

VISIBLE: Final = 8
"""Pixels beyond the person in which colours are kept for those who scale the cut-out; farther out
nothing of the photo is."""


class PackageMissing(MattingError):
    """A package of the extra `train` is not installed; the message says how to get it."""


def estimate_alpha(picture: Pixels, trimap: Pixels) -> Floats:
    """Alpha of a photo from a trimap.

    Small pictures are solved at once. Of a large one, half of it is solved first, by the same
    rule; its alpha then holds the rims of tiles that are solved one by one at full size.

    Args:
        picture: H x W x 3 RGB.
        trimap: H x W of 0, 128 and 255.

    Returns:
        H x W in 0..1: 0 and 1 exactly where the trimap says so.

    Raises:
        PackageMissing: pymatting is not installed.
    """
    pymatting = load_pymatting()
    alpha = _solve(pymatting, picture, trimap)
    # The solver approaches 0 and 1 but leaves a haze of a percent.
    alpha = np.asarray(np.clip((alpha - 0.01) / 0.98, 0, 1), np.float32)
    alpha[trimap == 0], alpha[trimap == 255] = 0, 1
    return alpha


def estimate_foreground(picture: Pixels, alpha: Floats) -> Pixels:
    """The person's own colours, without the scene's in hair and edges.

    Args:
        picture: H x W x 3 RGB.
        alpha: H x W in 0..1.

    Returns:
        H x W x 3 RGB: the photo where alpha is 1, black farther than `VISIBLE` pixels from it.

    Raises:
        PackageMissing: pymatting is not installed.
    """
    pymatting = load_pymatting()
    foreground = picture.copy()
    for tile in tiles(alpha.shape[0], alpha.shape[1], 2 * SIDE, 2 * OVERLAP):
        opacity = alpha[tile.around]
        if opacity[tile.inner].min() == 1 or not opacity.any():
            continue
        colours = pymatting.estimate_foreground_ml(
            _doubles(picture[tile.around]), opacity.astype(np.float64)
        )
        found = np.rint(np.clip(colours[tile.inner], 0, 1) * 255).astype(np.uint8)
        solid = opacity[tile.inner][..., None] == 1
        foreground[tile.core] = np.where(solid, picture[tile.core], found)
    distance = cv2.distanceTransform((alpha == 0).astype(np.uint8), cv2.DIST_L2, 3)
    foreground[distance > VISIBLE] = 0
    return foreground


def cut_out(picture: Pixels, trimap: Pixels) -> Pixels:
    """A photo's person as H x W x 4 RGBA, straight alpha, decontaminated colour.

    Args and errors as `estimate_alpha`.
    """
    alpha = estimate_alpha(picture, trimap)
    # Colours are found for the alpha that is stored, not for one that is lost by rounding.
    stored = np.rint(alpha * 255).astype(np.uint8)
    foreground = estimate_foreground(picture, stored.astype(np.float32) / np.float32(255))
    return np.dstack([foreground, stored])


def _solve(pymatting: ModuleType, picture: Pixels, trimap: Pixels) -> Floats:
    height, width = trimap.shape
    known = trimap != UNKNOWN
    alpha = trimap.astype(np.float32) / np.float32(255)
    if height * width <= LARGEST:
        _solve_piece(pymatting, picture, known, alpha)
        return alpha
    half = ((width + 1) // 2, (height + 1) // 2)
    smaller = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    coarse = _solve(pymatting, smaller, _shrink_trimap(trimap, half))
    guess = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    alpha[~known] = guess[~known]
    found = alpha.copy()
    for tile in tiles(height, width, SIDE, OVERLAP):
        if known[tile.core].all():
            continue
        held = known[tile.around].copy()
        rows, columns = tile.around
        # Not where the picture itself ends.
        held[:FRAME] |= rows.start > 0
        held[-FRAME:] |= rows.stop < height
        held[:, :FRAME] |= columns.start > 0
        held[:, -FRAME:] |= columns.stop < width
        piece = alpha[tile.around].copy()
        _solve_piece(pymatting, picture[tile.around], held, piece)
        found[tile.core] = piece[tile.inner]
    return found


def _solve_piece(
    pymatting: ModuleType, picture: Pixels, known: NDArray[np.bool_], alpha: Floats
) -> None:
    """Fill in alpha, H x W, where it is not known; as pymatting's `estimate_alpha_cf`, but what is
    known may be anything in 0..1."""
    rows, columns = np.nonzero(~known.all(1))[0], np.nonzero(~known.all(0))[0]
    if not len(rows):
        return
    # Windows of the Laplacian reach two pixels beyond the unknown ones.
    area = np.s_[max(rows[0] - 2, 0) : rows[-1] + 3, max(columns[0] - 2, 0) : columns[-1] + 3]
    fixed = known[area].ravel()
    laplacian: Any = pymatting.cf_laplacian(_doubles(picture[area]), is_known=known[area])
    free = laplacian[~fixed]
    values = alpha[area].astype(np.float64).ravel()
    inner = free[:, ~fixed]
    outer = free[:, fixed] @ values[fixed]
    del laplacian, free
    if not outer.any():
        # Black all around: the solver's tolerance would be relative to nothing.
        alpha[area] = np.where(known[area], alpha[area], 0)
        return
    try:
        # It prints a warning for every shift that is too small, which concerns nobody.
        with contextlib.redirect_stdout(io.StringIO()):
            factor = pymatting.ichol(inner, shifts=SHIFTS, max_nnz=FILL * inner.shape[0])
        values[~fixed] = pymatting.cg(inner, -outer, x0=values[~fixed], M=factor, rtol=1e-6)
    except ValueError as error:
        # The solver did not converge, or its factor does not exist.
        raise MattingError(
            f"the trimap's unknown band cannot be solved ({error}): make it narrower, and see that "
            "every part of it touches white or black"
        ) from error
    alpha[area] = np.clip(values, 0, 1).reshape(known[area].shape)


def _shrink_trimap(trimap: Pixels, size: tuple[int, int]) -> Pixels:
    """Known only where all that a pixel covers is known to be the same."""
    mean = cv2.resize(trimap.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    smaller = np.full((size[1], size[0]), UNKNOWN, np.uint8)
    smaller[mean < 0.5] = 0
    smaller[mean > 254.5] = 255
    return smaller


def _doubles(picture: Pixels) -> Doubles:
    return picture.astype(np.float64) / 255


def load_pymatting() -> ModuleType:
    """The package, imported when needed: it belongs to an extra, and the first time on a machine it
    compiles itself, which takes minutes.

    Raises:
        PackageMissing: it is not installed.
    """
    try:
        return importlib.import_module("pymatting")
    except ImportError as error:
        raise PackageMissing(
            "cutting out needs the package pymatting, which is not installed: run "
            "`pip install --editable '.[train]'` in the project's folder, or `pip install "
            "pymatting`"
        ) from error
