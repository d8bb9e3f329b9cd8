"""Curves and bars as inline SVG that takes its colours from the page, light or dark.

Drawn by hand because a plotting library fixes colours and fonts, and the page has both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log2, log10
from typing import Final

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 46

HUES: Final = 6
"""Colours of the page, `--hue-0` to `--hue-5`; a seventh contender shares the first one."""

_FEWEST = 1e-5
"""Errors below this are drawn here: a logarithm has no zero."""


def hue(number: int) -> str:
    """The colour of contender number `number`."""
    return f"var(--hue-{number % HUES})"


def line_chart(
    points: Sequence[float], lines: Mapping[str, Sequence[float]], across: str, title: str
) -> str:
    """Errors over the points of a drift, on a logarithmic scale.

    Args:
        points: along x, rising.
        lines: by the contender's name, one value a point.
        across: what x is, with its unit.
        title: for those who do not see it.
    """
    values = [max(value, _FEWEST) for line in lines.values() for value in line]
    low, high = _decades(min(values), max(values))

    def x(point: float) -> float:
        span = points[-1] - points[0]
        share = (point - points[0]) / span if span else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = (log10(max(value, _FEWEST)) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
    ]
    for tick in _ticks(low, high):
        at = y(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{at + 4:.1f}">{tick:g}</text>')
    for point in points:
        parts.append(f'<path class="grid" d="M{x(point):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="under" x="{x(point):.1f}" y="{HEIGHT - BOTTOM + 18}">{point:g}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="axis" x="{middle:.0f}" y="{HEIGHT - 8}">{escape(across)}</text>')
    for number, (name, line) in enumerate(lines.items()):
        places = [(x(p), y(v)) for p, v in zip(points, line, strict=True)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        parts.append(f'<path class="line" style="stroke:{hue(number)}" d="M{path}"/>')
        for (a, b), point, value in zip(places, points, line, strict=True):
            parts.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" style="fill:{hue(number)}">'
                f"<title>{escape(name)} at {point:g}: {value:.5f}</title></circle>"
            )
    return "".join([*parts, "</svg>"])


def win_chart(
    names: Sequence[str],
    own: Sequence[float],
    theirs: Sequence[float],
    hues: tuple[int, int],
    title: str,
) -> str:
    """One bar a scene: how many times lower the own error is (up), or the other's (down).

    Args:
        names: of the scenes.
        own: one error a scene.
        theirs: the same of the other contender.
        hues: numbers of the two contenders.
        title: for those who do not see it.
    """
    ratios = sorted(
        (
            (log2(max(b, _FEWEST) / max(a, _FEWEST)), name, a, b)
            for name, a, b in zip(names, own, theirs, strict=True)
        ),
        reverse=True,
    )
    up = max(1, ceil(max((ratio[0] for ratio in ratios), default=1)))
    down = max(1, ceil(-min((ratio[0] for ratio in ratios), default=-1)))
    height, top, bottom, left = 170, 10, 8, 46
    scale = (height - top - bottom) / (up + down)
    zero = top + up * scale
    step = (WIDTH - left) / max(len(ratios), 1)
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">']
    every = max(1, ceil((up + down) / 6))
    for level in range(-down, up + 1):
        if level % every == 0:
            at = zero - level * scale
            label = "equal" if level == 0 else f"{2 ** abs(level)}x"
            kind = "zero" if level == 0 else "grid"
            parts.append(f'<path class="{kind}" d="M{left} {at:.1f}H{WIDTH}"/>')
            parts.append(f'<text class="tick" x="{left - 6}" y="{at + 4:.1f}">{label}</text>')
    for number, (ratio, name, a, b) in enumerate(ratios):
        tall = max(abs(ratio) * scale, 1.0)
        at = zero - tall if ratio > 0 else zero
        parts.append(
            f'<rect x="{left + (number + 0.1) * step:.2f}" y="{at:.1f}" width="{0.8 * step:.2f}" '
            f'height="{tall:.1f}" rx="{min(2.0, 0.3 * step):.1f}" '
            f'style="fill:{hue(hues[0] if ratio > 0 else hues[1])}">'
            f"<title>{escape(name)}: {a:.5f} against {b:.5f}</title></rect>"
        )
    return "".join([*parts, "</svg>"])


def _decades(low: float, high: float) -> tuple[float, float]:
    """Logarithms of the ends of an axis: at least half a decade, on 1, 2 or 5."""
    bottom, top = _down(low), _up(high)
    return (bottom, top) if top - bottom > 0.5 else (bottom, bottom + 1)


def _down(value: float) -> float:
    decade = floor(log10(value))
    steps = [step for step in (1, 2, 5) if step * 10**decade <= value * (1 + 1e-9)]
    return decade + log10(steps[-1])


def _up(value: float) -> float:
    decade = floor(log10(value))
    steps = [step for step in (1, 2, 5, 10) if step * 10**decade >= value * (1 - 1e-9)]
    return decade + log10(steps[0])


def _ticks(low: float, high: float) -> list[float]:
    every = [
        step * 10.0**decade for decade in range(floor(low), ceil(high) + 1) for step in (1, 2, 5)
    ]
    inside = [tick for tick in every if low - 1e-9 <= log10(tick) <= high + 1e-9]
    return inside
