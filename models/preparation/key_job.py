"""Keying one file of footage from beginning to end, in this process or in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from models.preparation import footage, sheet
from models.preparation.footage import Footage, Pixels
from models.preparation.keying import Floats, KeySettings, key
from models.preparation.screen import Kind, Screen, ScreenMissing, find_screen
from models.preparation.tree import Tree
from models.scenes import pictures


@dataclass(frozen=True, slots=True)
class KeyJob:
    """How files are keyed, and into what."""

    tree: Tree
    settings: KeySettings = field(default_factory=KeySettings)
    screen: Screen | Kind | None = None
    """Known, of a known kind, or to be found."""
    garbage: Pixels | None = None
    """H x W of any size, 255 where nothing may be kept."""
    every: int = 1
    """Of videos, only each `every`-th frame."""

    def run(self, item: Footage, tick: Callable[[], object] = lambda: None) -> Pixels:
        """Key one picture or video.

        Args:
            item: the file.
            tick: called after every frame.

        Returns:
            A row for a sheet: of a video, its middle frame.

        Raises:
            ScreenMissing, MaterialUnfit, PictureError: it cannot be keyed, read or written.
        """
        screen = self._find(item)
        if item.is_video:
            return self._video(item, screen, tick)
        picture = pictures.read_rgb(item.file)
        foreground, alpha = self._key(picture, screen)
        self.tree.write_picture(item.name, foreground, alpha)
        tick()
        return sheet.row(picture, foreground, alpha)

    def _video(self, item: Footage, screen: Screen, tick: Callable[[], object]) -> Pixels:
        clip = footage.describe(item)
        middle = (clip.frames - 1) // self.every // 2
        row: Pixels | None = None
        with self.tree.write_clip(item.name, clip.rate / self.every) as writer:
            for index, picture in enumerate(footage.frames(item, self.every)):
                try:
                    foreground, alpha = self._key(picture, screen)
                except ScreenMissing as error:
                    raise ScreenMissing(f"frame {index * self.every}: {error}") from error
                writer.write(foreground, alpha)
                if row is None or index == middle:
                    row = sheet.row(picture, foreground, alpha)
                tick()
            if row is None:
                raise footage.nothing_in(item)
        return row

    def _find(self, item: Footage) -> Screen:
        if isinstance(self.screen, Screen):
            return self.screen
        return find_screen([_floats(seen) for seen in footage.samples(item)], self.screen)

    def _key(self, picture: Pixels, screen: Screen) -> tuple[Pixels, Pixels]:
        """Foreground H x W x 3 and alpha H x W."""
        garbage = None
        if self.garbage is not None:
            size = (picture.shape[1], picture.shape[0])
            garbage = _floats(np.asarray(cv2.resize(self.garbage, size), np.uint8))
        keyed = key(_floats(picture), screen, self.settings, garbage)
        return _bytes(keyed.foreground), _bytes(keyed.alpha)


def _floats(picture: Pixels) -> Floats:
    return picture.astype(np.float32) / np.float32(255)


def _bytes(picture: Floats) -> Pixels:
    return np.rint(picture * 255).astype(np.uint8)
