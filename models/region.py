"""A part of a frame."""

from __future__ import annotations

from dataclasses import dataclass

Size = tuple[int, int]
"""Rows and columns."""


@dataclass(frozen=True, slots=True)
class Region:
    """Rows and columns of a frame. All are even, so that I420's chroma has them too."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def whole(cls, size: Size) -> Region:
        """All of a frame."""
        return cls(0, 0, *size)

    @property
    def size(self) -> Size:
        """Rows and columns of it."""
        return self.height, self.width

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Its rows and columns, to index a picture with."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def share(self, size: Size) -> float:
        """Of the area of a frame, 0..1."""
        return self.height * self.width / (size[0] * size[1])

    def scaled(self, size: Size, to: Size) -> Region:
        """About the same part of a smaller picture, whose sides need not be even.

        Args:
            size: of the frame that this is a part of.
            to: of that picture.
        """
        (top, bottom), (left, right) = (
            (round(start * target / full), round((start + length) * target / full))
            for start, length, full, target in (
                (self.top, self.height, size[0], to[0]),
                (self.left, self.width, size[1], to[1]),
            )
        )
        return Region(top, left, bottom - top, right - left)
