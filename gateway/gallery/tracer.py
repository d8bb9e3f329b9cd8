"""Rooms by following light: boxes and spheres, lamps, a sun, a lens; nothing but numpy.

A path starts at the lens, meets up to `BOUNCES` surfaces and asks at each of them how much light
arrives straight from the lamps and the sun (Kajiya 1986; next event estimation). Arrays are
N x 3 float32, one row per path.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Light
from .film import defocus
from .shapes import FAR, Box, Room, Rows, Shape, Sphere, bounds, box_hits, sphere_hits, unit

BOUNCES = 3
SEEN = np.float32(2.6)
"""Brightest a lamp is when looked at; what it gives to the room is not limited."""


class Tracer:
    """Follows light through one room."""

    def __init__(self, room: Room, canvas: Canvas) -> None:
        """Number the shapes and find the lamps."""
        self._room = room
        self._random = canvas.random
        self._shapes = [shape for group in room.groups for shape in group]
        self._groups: list[tuple[Box | None, list[int]]] = []
        first = 0
        for group in room.groups:
            members = list(range(first, first + len(group)))
            self._groups.append((bounds(group) if len(group) > 2 else None, members))
            first += len(group)
        self._lamps = [i for i, shape in enumerate(self._shapes) if shape.material.lamp]

    def picture(self, width: int, height: int, samples: int) -> Light:
        """Trace `samples` paths per pixel."""
        total = np.zeros((height * width, 3), np.float32)
        strip = max(1, 24_000 // width) * width
        for _ in range(samples):
            origin, direction = self._rays(width, height)
            for start in range(0, height * width, strip):
                rows = slice(start, start + strip)
                light = self._follow(origin[rows], direction[rows])
                # A rare path through a lamp's glare would leave a speck for hundreds of paths.
                total[rows] += np.minimum(light, 24.0)
        return np.asarray(total / samples, np.float32).reshape(height, width, 3)

    def _rays(self, width: int, height: int) -> tuple[Rows, Rows]:
        camera = self._room.camera
        eye = np.array(camera.eye, np.float32)
        forward = unit(np.array(camera.target, np.float32) - eye)
        right = unit(np.cross(forward, np.array([0, 1, 0], np.float32)).astype(np.float32))
        up = np.cross(right, forward).astype(np.float32)
        jitter = self._random.random((2, height, width), np.float32)
        x = (np.arange(width, dtype=np.float32)[None, :] + jitter[0]) * 2 / height
        y = (np.arange(height, dtype=np.float32)[:, None] + jitter[1]) * 2 / height
        x, y = (x - width / height).ravel(), (1 - y).ravel()
        aim = forward * camera.focal + x[:, None] * right + y[:, None] * up
        focus = eye + aim * (camera.focus / camera.focal)
        angle, reach = self._random.random((2, x.size), np.float32)
        reach = np.sqrt(reach) * camera.lens
        angle *= 2 * np.pi
        shift = np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * up
        origin = (eye + reach[:, None] * shift).astype(np.float32)
        return origin, unit((focus - origin).astype(np.float32))

    def _hits(
        self, origin: Rows, direction: Rows, *, lamps: bool = True
    ) -> tuple[Rows, NDArray[np.int32]]:
        """Nearest distance and shape number per ray (-1: none)."""
        safe = np.where(np.abs(direction) < 1e-6, np.float32(1e-6), direction)
        inverse = (1 / safe).astype(np.float32)
        nearest = np.full(len(origin), FAR, np.float32)
        number = np.full(len(origin), -1, np.int32)
        for bound, members in self._groups:
            chosen: NDArray[np.intp] | slice = slice(None)
            if bound is not None:
                inside = (box_hits(bound, origin, inverse) < FAR).nonzero()[0]
                if inside.size == 0:
                    continue
                chosen = inside
            part_origin, part_direction, part_inverse = (
                origin[chosen],
                direction[chosen],
                inverse[chosen],
            )
            best, best_number = nearest[chosen], number[chosen]
            for member in members:
                shape = self._shapes[member]
                if not lamps and shape.material.lamp:
                    continue
                if isinstance(shape, Box):
                    distance = box_hits(shape, part_origin, part_inverse)
                else:
                    distance = sphere_hits(shape, part_origin, part_direction)
                closer = distance < best
                best = np.where(closer, distance, best)
                best_number = np.where(closer, np.int32(member), best_number)
            nearest[chosen], number[chosen] = best, best_number
        return nearest, number

    def _surface(self, points: Rows, number: NDArray[np.int32]) -> tuple[Rows, Rows, Rows, Rows]:
        """Normal, colour, lamp (0 or 1), gloss of the shapes hit."""
        normal, tint = np.zeros_like(points), np.zeros_like(points)
        lamp, gloss = np.zeros(len(points), np.float32), np.zeros(len(points), np.float32)
        for member in np.unique(number):
            rows = (number == member).nonzero()[0]
            shape, here = self._shapes[member], points[rows]
            if isinstance(shape, Box):
                low, high = np.array(shape.low), np.array(shape.high)
                local = (here - (low + high) / 2) / ((high - low) / 2)
                axis = np.abs(local).argmax(axis=1)
                normal[rows, axis] = np.sign(local[np.arange(rows.size), axis])
            else:
                normal[rows] = (here - np.array(shape.centre)) / shape.radius
            tint[rows] = shape.material.at(here)
            lamp[rows] = float(shape.material.lamp)
            gloss[rows] = shape.material.gloss
        return normal, tint, lamp, gloss

    def _follow(self, origin: Rows, direction: Rows) -> Rows:
        light = np.zeros_like(origin)
        weight = np.ones_like(origin)
        rows = np.arange(len(origin))
        mirrored = np.ones(len(origin), bool)  # lamps count when seen, not when asked already
        for bounce_number in range(BOUNCES):
            distance, number = self._hits(origin, direction)
            met = number >= 0
            rows, distance, number = rows[met], distance[met], number[met]
            direction, mirrored = direction[met], mirrored[met]
            points = (origin[met] + direction * distance[:, None]).astype(np.float32)
            normal, tint, lamp, gloss = self._surface(points, number)
            shining = lamp > 0
            seen = shining & mirrored
            glare = tint[seen]
            if bounce_number == 0:  # a lamp in the picture keeps its colour instead of going white
                glare = glare * (SEEN / np.maximum(glare.max(axis=1, keepdims=True), SEEN))
            light[rows[seen]] += weight[rows[seen]] * glare
            keep = ~shining
            rows, points, normal = rows[keep], points[keep], normal[keep]
            tint, gloss, direction = tint[keep], gloss[keep], direction[keep]
            if rows.size == 0:
                break
            facing = (normal * direction).sum(axis=1, keepdims=True)
            normal = np.where(facing > 0, -normal, normal).astype(np.float32)
            points = points + normal * np.float32(2e-3)
            mirrored = self._random.random(rows.size, np.float32) < gloss
            matt = ~mirrored
            arriving = self._arriving(points, normal)
            light[rows] += weight[rows] * tint * arriving * matt[:, None]
            weight[rows] *= np.where(mirrored[:, None], np.float32(1), tint)
            scatter = unit(np.asarray(self._random.standard_normal(points.shape, np.float32)))
            bounce = unit(np.asarray(normal * 1.001 + scatter, np.float32))
            mirror = direction - 2 * (direction * normal).sum(axis=1, keepdims=True) * normal
            mirror = unit(mirror + scatter * np.float32(0.12))
            direction = np.where(mirrored[:, None], mirror, bounce).astype(np.float32)
            origin = points
        return light

    def _arriving(self, points: Rows, normal: Rows) -> Rows:
        """Light that reaches these points straight from one lamp picked per path, and the sun."""
        arriving = np.zeros_like(points)
        picked = self._random.integers(0, max(1, len(self._lamps)), len(points))
        for index, member in enumerate(self._lamps):
            rows = (picked == index).nonzero()[0]
            if rows.size:
                arriving[rows] = self._from_lamp(self._shapes[member], points[rows], normal[rows])
        arriving *= len(self._lamps)
        if self._room.sun is not None:
            spread = self._random.standard_normal(points.shape, np.float32) * np.float32(0.012)
            towards = unit(unit(np.array(self._room.sun, np.float32)) + spread)
            cosine = np.maximum((towards * normal).sum(axis=1), 0)
            rows = (cosine > 0).nonzero()[0]
            _, number = self._hits(points[rows], towards[rows], lamps=False)
            lit = rows[number < 0]
            sun = np.array(self._room.sun_light, np.float32)
            arriving[lit] += sun * cosine[lit][:, None]
        return arriving

    def _from_lamp(self, lamp: Shape, points: Rows, normal: Rows) -> Rows:
        if isinstance(lamp, Sphere):
            on_lamp = unit(self._random.standard_normal(points.shape, np.float32))
            target = np.array(lamp.centre, np.float32) + on_lamp * np.float32(lamp.radius)
            area, lamp_normal = 4 * np.pi * lamp.radius**2, on_lamp
        else:
            low, high = np.array(lamp.low, np.float32), np.array(lamp.high, np.float32)
            size = high - low
            flat = int(size.argmin())  # lamps are thin boxes: both of their large faces shine
            target = low + size * self._random.random(points.shape, np.float32)
            area = float(np.prod(np.delete(size, flat)))
            lamp_normal = np.zeros_like(points)
            lamp_normal[:, flat] = np.sign(points[:, flat] - target[:, flat])
        towards = target - points
        square = np.maximum((towards**2).sum(axis=1), 1e-3)
        towards = towards / np.sqrt(square)[:, None]
        cosine = np.maximum((towards * normal).sum(axis=1), 0)
        cosine *= np.maximum(-(towards * lamp_normal).sum(axis=1), 0)
        light = np.zeros_like(points)
        rows = (cosine > 0).nonzero()[0]
        if rows.size:
            reach, _ = self._hits(points[rows], towards[rows].astype(np.float32), lamps=False)
            lit = rows[reach > np.sqrt(square[rows]) - 5e-3]
            share = cosine[lit] * area / (np.pi * square[lit])
            light[lit] = lamp.material.at(target[lit].astype(np.float32)) * share[:, None]
        return light


def photograph(room: Room, canvas: Canvas) -> Light:
    """Trace at a third of the size (everything is out of focus anyway) and enlarge smoothly."""
    height = max(27, canvas.height // 3)
    width = round(height * canvas.aspect)
    small = Tracer(room, canvas).picture(width, height, canvas.samples)
    # Median against single bright specks; then what is left of the noise goes where brightness is
    # nearly even, in logarithms because the eye works in ratios.
    ratio = np.log2(cv2.medianBlur(small, 3) + 0.02).astype(np.float32)
    for reach in (3.0, 2.0):
        ratio = cv2.bilateralFilter(ratio, -1, 0.35, reach)
    calm = cv2.GaussianBlur(np.exp2(ratio) - 0.02, (0, 0), 0.8)
    large = cv2.resize(calm, (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC)
    return defocus(np.maximum(large, 0).astype(np.float32), canvas, 0.008)
