"""The sets of pictures that plans may name, how they lie on disk, and where they are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Layout: TypeAlias = Literal["pairs", "cut-outs", "backgrounds", "rooms"]
"""How a set lies on disk:

pairs        `fgr` and `pha`, two trees of equal structure: pictures, or videos
cut-outs     RGBA pictures in one folder
backgrounds  pictures of empty places, in any folders
rooms        pictures of empty rooms named `NNN-kind`, NNN being the house
"""

LAYOUTS: Final[Mapping[Layout, str]] = MappingProxyType(
    {
        "pairs": "the folders fgr (colours) and pha (alpha, grey) with the same files in both, "
        "jpg, png or webp pictures or mp4, mov, mkv or webm videos, themselves in folders train "
        "and test where the set is divided",
        "cut-outs": "people cut out as RGBA pictures (png or webp)",
        "backgrounds": "pictures of empty places (jpg, png or webp), in any folders, or in "
        "folders train and test",
        "rooms": "pictures of empty rooms named NNN-kind.jpg, NNN being the house",
    }
)
"""What a folder of each layout holds, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set of pictures that others, or we, have described."""

    title: str
    layout: Layout
    described: str
    """Where one reads what it is and how to ask for it."""
    test_only: bool = False
    """Kept out of training, as by the paper's authors."""


_PAPER = "Lin et al., Real-Time High-Resolution Background Matting (CVPR 2021), section 3"

PUBLIC_SETS: Final[Mapping[str, PublicSet]] = MappingProxyType(
    {
        "videomatte240k": PublicSet(
            "VideoMatte240K: 484 clips of people before a green screen", "pairs", _PAPER
        ),
        "photomatte13k": PublicSet(
            "PhotoMatte13K: 13,665 studio photos of people (never published as a whole)",
            "pairs",
            _PAPER,
        ),
        "photomatte85": PublicSet(
            "PhotoMatte85: the published test photos of PhotoMatte13K",
            "pairs",
            _PAPER,
            test_only=True,
        ),
        "distinctions646": PublicSet(
            "Distinctions-646, of which the paper takes the people",
            "pairs",
            "Qiao et al., Attention-Guided Hierarchical Structure Aggregation for Image Matting "
            "(CVPR 2020), section 4",
        ),
        "aim": PublicSet(
            "AIM (Adobe Image Matting), of which the paper takes the people, for testing only",
            "pairs",
            "Xu et al., Deep Image Matting (CVPR 2017), section 3",
            test_only=True,
        ),
        "backgrounds": PublicSet(
            "pictures of places without people", "backgrounds", f"{_PAPER} and appendix A"
        ),
        "cut-outs": PublicSet(
            "people cut out of photos, by `cleanplate cut-out` or another tool",
            "cut-outs",
            "models/README.md, under Data",
        ),
        "rooms": PublicSet(
            "empty bathrooms, bedrooms and kitchens of the Houses Dataset",
            "rooms",
            "Ahmed and Moustafa, House Price Estimation from Visual and Textual Features "
            "(NCTA 2016), section 3",
        ),
    }
)
"""By the name that plans and commands use."""
