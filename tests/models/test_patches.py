import pytest
import torch
from torch.nn import functional

from models.network.patches import Patches, crop, crop_resized, paste

SELECTED = Patches(
    torch.tensor([0, 0, 1, 1]), torch.tensor([0, 7, 3, 7]), torch.tensor([0, 11, 5, 0])
)


@pytest.mark.parametrize(("side", "margin"), [(2, 3), (2, 0), (4, 2), (4, 0)])
def test_a_crop_is_the_patch_with_its_margin_and_zeros_outside(side: int, margin: int) -> None:
    x = torch.rand(2, 3, 8 * side, 12 * side)
    padded = functional.pad(x, (margin,) * 4)
    cut = crop(x, SELECTED, side, margin)
    for index, (image, row, column) in enumerate(zip(*SELECTED, strict=True)):
        window = side + 2 * margin
        top, left = row * side, column * side
        expected = padded[image, :, top : top + window, left : left + window]
        assert torch.equal(cut[index], expected)


@pytest.mark.parametrize("coarse", [(4, 6), (5, 7), (8, 12), (16, 24), (13, 9), (1, 1)])
@pytest.mark.parametrize(("side", "margin"), [(2, 3), (2, 0)])
def test_cropping_a_resized_map_needs_no_resized_map(
    coarse: tuple[int, int], side: int, margin: int
) -> None:
    x = torch.rand(2, 5, *coarse)
    size = (8 * side, 12 * side)
    resized = functional.interpolate(x, size, mode="bilinear", align_corners=False)
    expected = crop(resized, SELECTED, side, margin)
    assert torch.allclose(crop_resized(x, size, SELECTED, side, margin), expected, atol=1e-6)


def test_pasting_overwrites_the_selected_patches_and_nothing_else() -> None:
    x = torch.rand(2, 4, 32, 48)
    values = torch.rand(4, 4, 4, 4)
    pasted = paste(x, SELECTED, values)
    assert torch.equal(crop(pasted, SELECTED, side=4, margin=0), values)
    changed = (pasted != x).any(1)
    assert changed.sum() <= len(SELECTED) * 16
