"""`cleanplate matte`: one picture or video file, without a server."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway import events
from gateway.matte_video import matte_video, read_plate_clip
from gateway.scenery import BLUR
from models.backdrop import Backdrop, Blur, Colour, Picture, Transparent
from models.errors import MattingError, PictureError

OPERATOR_ERROR = 2

Pixels = NDArray[np.uint8]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What comes in, what goes out."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help="picture or video file")
    parser.add_argument(
        "--plate",
        type=Path,
        required=True,
        help="the same scene without the person: a picture, or a clip of about a second",
    )
    parser.add_argument(
        "--backdrop",
        metavar="B",
        help="picture file, id of a built-in backdrop, #rrggbb, blur or blur:RADIUS; "
        "without it the result is transparent",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the result; beside SOURCE if not given"
    )
    parser.add_argument("--alpha", type=Path, metavar="FILE", help="write alpha alone, in grey")
    parser.add_argument(
        "--foreground", type=Path, metavar="FILE", help="write the foreground alone"
    )
    parser.add_argument("--align", action="store_true", help="move the plate onto the source first")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")
    parser.add_argument(
        "--weights", metavar="NAME", help="card or file; the best card if not given"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Matte one file; returns the exit status."""
    try:
        report = matte(args)
    except MattingError as error:
        sys.stderr.write(f"cleanplate matte: {error}\n")
        return OPERATOR_ERROR
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        for kind in ("out", "alpha", "foreground"):
            if report.get(kind):
                sys.stdout.write(f"{report[kind]}\n")
    return 0


def matte(args: argparse.Namespace) -> dict[str, object]:
    """What `run` does; raises `MattingError` with what the caller can do."""
    if not args.source.is_file():
        raise PictureError(f"there is no file {args.source}")
    moving = not cv2.haveImageReader(str(args.source))
    backdrop = parse_backdrop(args.backdrop)
    outputs = choose_outputs(args, moving=moving, transparent=isinstance(backdrop, Transparent))
    plate = read_plate(args.plate)
    if moving:
        return matte_video(
            args.source, plate, backdrop, outputs, args.weights, args.device, align=args.align
        )
    return matte_still(args, plate, backdrop, outputs)


def matte_still(
    args: argparse.Namespace, plate: Pixels, backdrop: Backdrop, outputs: Mapping[str, Path]
) -> dict[str, object]:
    """One picture."""
    # Imports torch, which a wrong argument must not wait for.
    from models.alignment import align_plate
    from models.backends.choice import load_backend
    from models.compositing import compose, paint_backdrop
    from models.still import matte_picture

    source = read_picture(args.source)
    check_sizes(source.shape[:2], plate.shape[:2])
    if args.align:
        alignment = align_plate(source, plate)
        if alignment.refusal:
            warn(f"the plate stays where it is: {alignment.refusal}")
        plate = alignment.plate
    backend, device, weights = load_backend(args.weights, args.device)
    alpha, foreground = matte_picture(backend, source, plate)
    grey = np.rint(alpha * 255).astype(np.uint8)
    if isinstance(backdrop, Transparent):
        # Where nothing is seen no colour is kept: the scene must not hide behind alpha 0.
        foreground = np.where(grey[..., None] > 0, foreground, np.uint8(0)).astype(np.uint8)
        write_picture(outputs["out"], np.dstack([foreground, grey]))
    else:
        behind = paint_backdrop(backdrop, source.shape[0], source.shape[1], plate)
        write_picture(outputs["out"], compose(alpha, foreground, behind))
    if "alpha" in outputs:
        write_picture(outputs["alpha"], grey)
    if "foreground" in outputs:
        write_picture(outputs["foreground"], foreground)
    return {
        **{kind: str(path) for kind, path in outputs.items()},
        "width": source.shape[1],
        "height": source.shape[0],
        "frames": 1,
        "device": str(device),
        "backend": backend.name,
        "weights": weights,
    }


def parse_backdrop(text: str | None) -> Backdrop:
    """The word after `--backdrop`; raises `PictureError` that says what is possible."""
    if text is None or text == "transparent":
        return Transparent()
    if match := re.fullmatch(r"#([0-9a-fA-F]{6})", text):
        return Colour(*bytes.fromhex(match[1]))
    if match := BLUR.fullmatch(text):
        try:
            # The same rule as in a stream.
            return Blur(events.BlurChoice(radius=float(match[1])).radius) if match[1] else Blur()
        except ValueError as error:
            raise PictureError(
                f"{text} is not blur:RADIUS with a radius of 4 to 200; less would show the room"
            ) from error
    path = Path(text)
    if not path.is_file():
        from gateway.gallery import built_in

        known = {picture.id: picture.path for picture in built_in()}
        if text not in known:
            raise PictureError(
                f"{text} is no file, #rrggbb, blur:RADIUS or built-in backdrop "
                f"({', '.join(sorted(known))})"
            )
        path = known[text]
    return Picture(read_picture(path))


def choose_outputs(args: argparse.Namespace, *, moving: bool, transparent: bool) -> dict[str, Path]:
    """Where everything goes; raises `PictureError` rather than overwrite."""
    source: Path = args.source
    kind = "cutout" if transparent else "composite"
    suffix = (".mov" if transparent else ".mp4") if moving else ".png"
    wanted = {
        "out": args.out or source.with_name(f"{source.stem}-{kind}{suffix}"),
        "alpha": args.alpha,
        "foreground": args.foreground,
    }
    outputs = {name: path for name, path in wanted.items() if path is not None}
    if len(set(outputs.values())) < len(outputs):
        raise PictureError("two of the results would go into the same file")
    for path in outputs.values():
        if path.resolve() in {args.source.resolve(), args.plate.resolve()}:
            raise PictureError(f"{path} would overwrite what it is made from")
        if path.exists() and not args.force:
            raise PictureError(f"{path} exists: choose another name, or add --force")
        if not path.parent.is_dir():
            raise PictureError(f"there is no folder {path.parent}")
    if not moving and transparent and outputs["out"].suffix.lower() not in {".png", ".webp"}:
        raise PictureError(f"{outputs['out'].name} cannot be transparent: name it .png or .webp")
    return outputs


def read_plate(path: Path) -> Pixels:
    """The plate from a picture, or learned from a clip."""
    if not path.is_file():
        raise PictureError(f"there is no file {path}")
    return read_picture(path) if cv2.haveImageReader(str(path)) else read_plate_clip(path)


def read_picture(path: Path) -> Pixels:
    """(H, W, 3), RGB, upright; raises `PictureError`."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise PictureError(f"{path} is not a picture that can be read")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def write_picture(path: Path, pixels: Pixels) -> None:
    """Grey, RGB or RGBA, by the name's suffix; raises `PictureError`."""
    if pixels.ndim == 3:
        order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
        pixels = np.asarray(cv2.cvtColor(pixels, order), dtype=np.uint8)
    try:
        written = cv2.imwrite(str(path), pixels)
    except cv2.error as error:
        raise PictureError(f"{path} cannot be written: use .png, .jpg or .webp") from error
    if not written:
        raise PictureError(f"{path} cannot be written")


def check_sizes(source: tuple[int, ...], plate: tuple[int, ...]) -> None:
    """Raises `PictureError` unless source and plate, (height, width), have the same shape."""
    if source != plate:
        raise PictureError(
            f"the plate is {plate[1]}x{plate[0]} and the source {source[1]}x{source[0]}: both must "
            "come from the same camera at the same resolution"
        )


def warn(text: str) -> None:
    """Something the person should know, not an error."""
    sys.stderr.write(f"cleanplate matte: {text}\n")
