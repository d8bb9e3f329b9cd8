"""`cleanplate cut-out`: people cut out of ordinary photos, to widen the training data."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Never

import numpy as np
from PIL import Image
from tqdm import tqdm

from models.errors import MattingError, PictureError
from models.preparation import sheet
from models.preparation.closed_form import Pixels, cut_out, load_pymatting
from models.preparation.photos import Photo, find_photos
from models.preparation.trimap import clear_trimap, trimap_from_mask
from models.scenes import pictures

OPERATOR_ERROR = 2
SHEET_ROWS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The photos, what guides the cut, and where the cut-outs go."""
    parser.add_argument(
        "inputs", type=Path, nargs="+", metavar="PHOTO", help="pictures, or folders of them"
    )
    guide = parser.add_mutually_exclusive_group(required=True)
    guide.add_argument(
        "--trimap", type=Path, metavar="FILE",
        help="white on the person, black elsewhere, grey where it is to be found; for several "
        "photos a folder of such pictures with the photos' names",
    )  # fmt: skip
    guide.add_argument(
        "--mask", type=Path, metavar="FILE",
        help="a rough mask instead, white on the person; its edge becomes the grey band",
    )  # fmt: skip
    parser.add_argument(
        "--band", type=int, metavar="PX",
        help="width of the band on either side of a mask's edge: as wide as the loose hair; a "
        "fiftieth of the photo's long side if not given",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="gets the RGBA cut-outs"
    )
    parser.add_argument(
        "--format", choices=("webp", "png"), default="webp", help="both without loss (default webp)"
    )
    parser.add_argument(
        "--trimaps-out", type=Path, metavar="FOLDER",
        help="write the trimaps made from masks, to be painted over and given as --trimap",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="make what is there already anew")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png",
        help="one row for each of the first photos, to look at",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Cut everything out; returns the exit status, 2 if a photo could not be cut out."""
    try:
        return _cut_all(args)
    except MattingError as error:
        _say(str(error))
        return OPERATOR_ERROR


def _cut_all(args: argparse.Namespace) -> int:
    if args.band is not None and args.mask is None:
        raise PictureError("--band belongs to --mask: a trimap has its band already")
    if args.trimaps_out is not None and args.mask is None:
        raise PictureError("--trimaps-out belongs to --mask: with --trimap none are made")
    what = "mask" if args.trimap is None else "trimap"
    photos = find_photos(args.inputs, args.mask or args.trimap, what)
    places = {photo: args.out / f"{photo.name}.{args.format}" for photo in photos}
    todo = [photo for photo in photos if args.force or not places[photo].exists()]
    failed = 0
    rows: list[Pixels] = []
    bar: tqdm[Never]
    with tqdm(total=len(todo), unit="photo", file=sys.stderr, disable=None) as bar:
        if todo:
            bar.set_postfix_str("loading pymatting, which compiles itself the first time")
            load_pymatting()
        for photo in todo:
            bar.set_postfix_str(photo.name)
            try:
                picture, trimap = _read(photo, args.mask is not None, args.band)
                if args.trimaps_out is not None:
                    _write(args.trimaps_out / f"{photo.name}.png", trimap)
                cut = cut_out(picture, trimap)
                _write(places[photo], cut)
                if args.sheet is not None and len(rows) < SHEET_ROWS:
                    rows.append(sheet.row(picture, cut[..., :3], cut[..., 3]))
            except MattingError as error:
                failed += 1
                with tqdm.external_write_mode(sys.stderr):
                    _say(f"{photo.file}: {error}")
            bar.update()
    if rows:
        _write(args.sheet, sheet.stack(rows))
    there = len(photos) - len(todo)
    sys.stdout.write(
        f"{len(todo) - failed} cut out into {args.out}"
        + (f", {there} were there already" if there else "")
        + (f", {failed} could not be cut out" if failed else "")
        + "\n"
    )
    return OPERATOR_ERROR if failed else 0


def _read(photo: Photo, is_mask: bool, band: int | None) -> tuple[Pixels, Pixels]:
    """Photo H x W x 3 and trimap H x W."""
    picture, guide = pictures.read_rgb(photo.file), pictures.read_grey(photo.guide)
    if picture.shape[:2] != guide.shape:
        raise PictureError(
            f"it is {picture.shape[1]}x{picture.shape[0]} but {photo.guide} is "
            f"{guide.shape[1]}x{guide.shape[0]}: draw that at the photo's own size"
        )
    return picture, trimap_from_mask(guide, band) if is_mask else clear_trimap(guide)


def _write(file: Path, pixels: Pixels) -> None:
    """Without loss, whole or not at all."""
    waiting = file.with_name(f".{file.name}.{os.getpid()}.unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # `exact`: colours just beyond the person stay, for those who scale the cut-out.
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            waiting, "WEBP" if file.suffix == ".webp" else "PNG", lossless=True, exact=True
        )
        waiting.replace(file)
    except OSError as error:
        raise PictureError(f"{file} cannot be written: {error}") from error
    finally:
        waiting.unlink(missing_ok=True)


def _say(text: str) -> None:
    sys.stderr.write(f"cleanplate cut-out: {text}\n")
