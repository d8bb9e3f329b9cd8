"""The network sees about as much of every size of frame."""

from __future__ import annotations

import pytest

from models.network import MattingConfig
from models.operating_point import operating_point

SIZES = [(90, 160), (180, 320), (360, 640), (640, 360), (720, 1280), (1080, 1920), (2160, 4096)]


@pytest.mark.parametrize("accelerator", [True, False])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_point_is_one_the_network_takes(height: int, width: int, accelerator: bool):
    point = operating_point(height, width, accelerator=accelerator)
    MattingConfig(base_scale=point.base_scale, refine_pixels=point.refine_pixels)
    assert 16 <= point.refine_pixels <= 80_000
    assert point.refine_pixels % 16 == 0


def test_a_processor_sees_256_columns_of_a_small_frame():
    assert operating_point(360, 640, accelerator=False).base_scale == pytest.approx(0.4)
    assert operating_point(640, 360, accelerator=False).base_scale == pytest.approx(0.4)


def test_hd_has_the_published_settings():
    point = operating_point(1080, 1920, accelerator=True)
    assert point.base_scale == 0.25
    assert point.refine_pixels == 80_000
