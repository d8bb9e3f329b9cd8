import io
import zlib

import numpy as np
import pytest
from PIL import Image

from gateway.pictures import (
    LONG_SIDE,
    THUMBNAIL,
    BadPicture,
    PictureLimits,
    decode_own_jpeg,
    decode_picture,
    encode_jpeg,
    encode_png,
    thumbnail,
)

LIMITS = PictureLimits(4_000_000, 40_000_000)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_formats_are_taken(kind: str):
    rgb = decode_picture(encoded(Image.new("RGB", (64, 48), (200, 30, 30)), kind), LIMITS)
    assert rgb.shape == (48, 64, 3)
    assert abs(int(rgb[20, 20, 0]) - 200) < 6


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind: str):
    with pytest.raises(BadPicture) as caught:
        decode_picture(encoded(Image.new("RGB", (16, 16)), kind), LIMITS)
    assert caught.value.status == 415


def test_a_file_is_what_its_first_bytes_say():
    with pytest.raises(BadPicture) as caught:
        decode_picture(b"\x89PNG\r\n\x1a\n" + b"GIF89a" * 50, LIMITS)
    assert caught.value.reason == "picture-damaged"


def test_pictures_are_turned_upright():
    image = Image.new("RGB", (60, 20), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to the right
    rgb = decode_picture(encoded(image, "JPEG", exif=exif, quality=95), LIMITS)
    assert rgb.shape == (60, 20, 3)
    assert rgb[5, 10].mean() > 200
    assert rgb[50, 10].mean() < 50


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    rgb = decode_picture(encoded(Image.new(mode, (32, 24)), kind), LIMITS)
    assert rgb.shape == (24, 32, 3)
    assert rgb.dtype == np.uint8


def test_transparent_pixels_become_black_whatever_lies_beneath():
    image = Image.new("RGBA", (32, 24), (255, 0, 0, 0))
    assert decode_picture(encoded(image, "PNG"), LIMITS).max() == 0


def test_large_pictures_are_reduced():
    rgb = decode_picture(encoded(Image.new("RGB", (4000, 1000)), "JPEG"), LIMITS)
    assert rgb.shape == (LONG_SIDE // 4, LONG_SIDE, 3)


def test_a_file_beyond_the_limit_is_refused():
    with pytest.raises(BadPicture) as caught:
        decode_picture(bytes(100), PictureLimits(99, 1000))
    assert caught.value.status == 413


@pytest.mark.parametrize("size", [(200, 200), (30000, 30000)])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(size: tuple[int, int]):
    # A PNG that claims a size and holds no pixels: decoding it would fail in another way.
    header = b"IHDR" + size[0].to_bytes(4) + size[1].to_bytes(4) + bytes([8, 2, 0, 0, 0])
    png = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + header + zlib.crc32(header).to_bytes(4)
    png += (0).to_bytes(4) + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4)
    with pytest.raises(BadPicture) as caught:
        decode_picture(png, PictureLimits(1000, 39_999))
    assert caught.value.reason == "picture-pixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("seed", range(5))
def test_damaged_files_are_refused_or_decoded_and_never_crash(kind: str, seed: int):
    random = np.random.default_rng(seed)
    noise = Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8))
    data = bytearray(encoded(noise, kind))
    for place in random.integers(12, len(data), 20):
        data[place] = random.integers(0, 256)
    try:
        decode_picture(bytes(data[: random.integers(40, len(data))]), LIMITS)
    except BadPicture as error:
        assert 400 <= error.status < 500  # noqa: PT017  (either outcome is right)


def test_our_own_files_can_be_read_back():
    rgb = np.full((90, 160, 3), 77, np.uint8)
    assert np.abs(decode_own_jpeg(encode_jpeg(rgb)).astype(int) - 77).max() <= 2
    assert (decode_picture(encode_png(rgb), LIMITS) == rgb).all()
    with Image.open(io.BytesIO(thumbnail(encode_jpeg(rgb)))) as small:
        assert small.size == THUMBNAIL


def test_metadata_does_not_survive():
    exif = Image.Exif()
    exif[0x010E] = "at home, 12 Example Street"
    data = encoded(Image.new("RGB", (32, 32)), "JPEG", exif=exif)
    assert b"Example Street" in data
    assert b"Example Street" not in encode_jpeg(decode_picture(data, LIMITS))
