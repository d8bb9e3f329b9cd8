"""Weights and the cards that describe them.

A set of weights is a file `<architecture>.<tag>.safetensors` in half precision, or several where
one were too large (`parts`), with a card of the same stem in TOML beside it: checksum,
configuration, data, schedule, scores and licence. Published sets stand in this folder; imported
ones in the operator's (`operator_folder`). Nothing is ever unpickled into objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from torch import Tensor

from models.errors import WeightsError
from models.network import MattingNetwork
from models.weights.card import Card, checksum, describe_part, read_card, write_card
from models.weights.files import read_state, save_state
from models.weights.matching import build_network, recognise
from models.weights.parts import FILE_LIMIT, SUFFIX, is_part, whole_name

__all__ = [
    "Card",
    "card_of",
    "default_weights",
    "find_card",
    "import_checkpoint",
    "list_cards",
    "load_network",
    "operator_folder",
    "save_weights",
    "verify",
]

PACKAGE_FOLDER: Final = Path(__file__).parent

FORMAT: Final = "safetensors fp16"


def operator_folder() -> Path:
    """Where imported weights go: `CLEANPLATE_WEIGHTS_FOLDER`, else the user's data folder (XDG)."""
    if chosen := os.environ.get("CLEANPLATE_WEIGHTS_FOLDER"):
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "cleanplate" / "weights"


def list_cards(folders: tuple[Path, ...] | None = None) -> list[Card]:
    """All cards, by name; the operator's come before published ones of the same name.

    Raises:
        WeightsError: a card cannot be read.
    """
    cards: dict[str, Card] = {}
    for path in _card_paths(folders):
        card = read_card(path)
        cards.setdefault(card.name, card)
    return [cards[name] for name in sorted(cards)]


def find_card(name: str, folders: tuple[Path, ...] | None = None) -> Card:
    """The card of that name; raises `WeightsError` that lists the names there are."""
    cards = list_cards(folders)
    for card in cards:
        if card.name == name:
            return card
    names = ", ".join(card.name for card in cards) or "none"
    raise WeightsError(f"there are no weights named {name!r}; there are: {names}")


def default_weights(device_kind: str = "cpu", folders: tuple[Path, ...] | None = None) -> str:
    """Name of the best card for a device.

    MobileNetV2 on a processor, then the least alpha error in the scenes that all published weights
    are examined on.

    Raises:
        WeightsError: there is no card at all.
    """
    cards = list_cards(folders)
    if not cards:
        raise WeightsError(
            "there are no weights: the installation is incomplete. Reinstall Cleanplate, or import "
            "a checkpoint with `cleanplate weights import FILE`"
        )

    def rank(card: Card) -> tuple[bool, float, str]:
        slow = device_kind == "cpu" and not card.architecture.startswith("mobilenetv2")
        return slow, card.alpha_mad, card.name

    return min(cards, key=rank).name


def load_network(
    name_or_path: str | Path, folders: tuple[Path, ...] | None = None
) -> MattingNetwork:
    """A network in fp32 on the processor, ready for inference, from a card's name or a file.

    A card's files are checked against their checksums. A file may be safetensors, one part of them
    for all, or a checkpoint of the authors. Every parameter must be there and fit.

    Raises:
        WeightsError: what is wrong, and what to do.
    """
    card = card_of(name_or_path, folders)
    if card is None:
        path = Path(name_or_path)
        return build_network(read_state(path), path.name)
    return _load(card)


def card_of(name_or_path: str | Path, folders: tuple[Path, ...] | None = None) -> Card | None:
    """The card of that name, or beside that file; `None` for a file without one.

    Raises:
        WeightsError: there is no card of that name, or it cannot be read.
    """
    path = Path(name_or_path)
    if path.suffix in {SUFFIX, ".pth", ".pt", ".ckpt"} or path.is_file():
        card_path = path.with_name(f"{whole_name(path)}.toml")
        return read_card(card_path) if path.suffix == SUFFIX and card_path.is_file() else None
    return find_card(str(name_or_path), folders)


def verify(name: str | None = None, folders: tuple[Path, ...] | None = None) -> list[Card]:
    """Check sizes, checksums and parameters of one card or all; the cards that passed.

    Raises:
        WeightsError: the first that is damaged.
    """
    cards = list_cards(folders) if name is None else [find_card(name, folders)]
    for card in cards:
        _load(card)
    return cards


def import_checkpoint(path: Path, name: str | None = None, folder: Path | None = None) -> Card:
    """Turn a checkpoint of the authors (`.pth` or TorchScript) into weights with a card.

    Args:
        path: the file; also safetensors without a card, by any part if they are in parts.
        name: `<architecture>.<tag>`; `<architecture>.<stem of the file>` if missing.
        folder: where to put it; the operator's.

    Raises:
        WeightsError: the file is no matting network, or the name is taken or malformed.
    """
    state = read_state(path)
    build_network(state, path.name)
    config = recognise(state, path.name)
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in whole_name(path).lower())
    name = name or f"{config.backbone}.{stem}"
    return save_weights(
        state,
        name,
        folder or operator_folder(),
        licence="as the imported file's; the authors publish theirs under MIT",
        data={"imported_from": path.name, "imported_sha256": checksum(path)},
    )


def save_weights(
    state: dict[str, Tensor],
    name: str,
    folder: Path,
    *,
    licence: str,
    config: dict[str, object] | None = None,
    data: dict[str, object] | None = None,
    schedule: dict[str, object] | None = None,
    scores: dict[str, object] | None = None,
    limit: int = FILE_LIMIT,
) -> Card:
    """Write parameters in half precision and their card; never over an existing one.

    Args:
        state: parameters by name.
        name: `<architecture>.<tag>`.
        folder: of files and card.
        licence: for the card, as are `config`, `data`, `schedule` and `scores`.
        config: what differs from the network's own settings.
        data: what it was trained on.
        schedule: how.
        scores: how good it is.
        limit: bytes of one file; what would exceed it is written in parts.

    Raises:
        WeightsError: the name is taken or not `<architecture>.<tag>`, or a single parameter is
            larger than `limit`.
    """
    architecture, dot, tag = name.partition(".")
    recognised = recognise(state, name)
    malformed = not dot or not tag or "/" in name or "\\" in name or is_part(name)
    if architecture != recognised.backbone or malformed:
        raise WeightsError(
            f"weights of this network are named {recognised.backbone}.<tag>, not {name!r}"
        )
    # Not with_suffix: a tag may contain dots.
    card_path = folder / f"{name}.toml"
    if card_path.exists() or any(whole_name(file) == name for file in folder.glob(f"*{SUFFIX}")):
        raise WeightsError(f"{name} exists already; published weights never change, take a new tag")
    files = save_state(state, name, folder, limit)
    settings = {
        "base_scale": recognised.base_scale,
        "refine_mode": recognised.refine_mode,
        "refine_pixels": recognised.refine_pixels,
        "refine_kernel": recognised.refine_kernel,
    }
    card = Card(
        name=name,
        architecture=architecture,
        sha256=checksum(files[0]),
        size=sum(file.stat().st_size for file in files),
        format=FORMAT,
        licence=licence,
        path=files[0],
        parts=tuple(describe_part(file) for file in files) if len(files) > 1 else (),
        config={**settings, **(config or {})},
        data=data or {},
        schedule=schedule or {},
        scores=scores or {},
    )
    write_card(card, card_path)
    return card


def _load(card: Card) -> MattingNetwork:
    card.check_file()
    return build_network(read_state(card.path), card.name, card.config)


def _card_paths(folders: tuple[Path, ...] | None) -> Iterator[Path]:
    for folder in folders if folders is not None else (operator_folder(), PACKAGE_FOLDER):
        if folder.is_dir():
            yield from sorted(folder.glob("*.*.toml"))
