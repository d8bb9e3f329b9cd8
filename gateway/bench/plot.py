"""Latency and composites over time as one SVG that opens by itself, in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, log10
from pathlib import Path
from typing import Final

from gateway.bench.figures import by_second
from gateway.bench.machine import machine, now
from gateway.bench.report import Report

WIDTH, HEIGHT = 760, 470
LEFT, RIGHT = 64, 20
PANELS: Final = ((82, 160), (298, 122))
"""Top and height of the two."""
HUES: Final = ("#0b6e99", "#b3541e", "#4d7c2a", "#8a4f9e", "#a33b4a", "#5a6472")
STYLE: Final = """
svg{background:#fff;color:#1d2329;font:12px system-ui,sans-serif}
text{fill:currentColor}.quiet{opacity:.65}.head{font-size:15px;font-weight:600}
.grid{stroke:currentColor;opacity:.13}.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.high{stroke-dasharray:4 3}.direct{stroke:currentColor;stroke-dasharray:1 4;fill:none}
.y{text-anchor:end}.x{text-anchor:middle}
@media(prefers-color-scheme:dark){svg{background:#15191d;color:#e4e8ec}}
"""

Values = Sequence[float | None]


def write_plot(path: Path, report: Report) -> None:
    """Draw the report's seconds into an SVG file."""
    path.write_text(plot(report), encoding="utf-8")


def plot(report: Report) -> str:
    """The SVG's text."""
    rows = [by_second(record) for record in report.records]
    plan = report.plan
    title = (
        f"{report.count} x {plan.size} at {plan.fps:g} fps: "
        f"{report.server.get('device', 'unknown device')}"
    )
    middle = [[row["latency_p50_ms"] for row in stream] for stream in rows]
    high = [[row["latency_p95_ms"] for row in stream] for stream in rows]
    counts = [[row["composites"] for row in stream] for stream in rows]
    latency = Panel(*PANELS[0], plan.seconds, _top([*middle, *high]))
    frames = Panel(*PANELS[1], plan.seconds, _top([*counts, [plan.fps]]))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><style>{STYLE}</style>',
        _text(LEFT, 24, title, "head"),
        _text(LEFT, 42, f"{machine()}; {now()}", "quiet"),
        *latency.frame("Latency of composites, ms: p50, and p95 broken; dotted a call without us"),
        *frames.frame("Composites in each second"),
    ]
    if report.direct is not None:
        at = latency.y(report.direct.p50)
        parts.append(f'<path class="direct" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
    for number in range(len(rows)):
        parts += [
            latency.line(middle[number], number),
            latency.line(high[number], number, "line high"),
            frames.line(counts[number], number),
        ]
    for begin, end in plan.impairment.bursts(plan.seconds):
        left, right = latency.x(begin), latency.x(end)
        parts.append(
            f'<rect x="{left:.1f}" y="{PANELS[0][0]}" width="{max(1.0, right - left):.1f}" '
            f'height="{HEIGHT - 50 - PANELS[0][0]}" fill="#b3541e" opacity=".25">'
            "<title>nothing passed</title></rect>"
        )
    for number in range(len(rows)):
        parts.append(
            f'<text x="{LEFT + 80 * number}" y="{HEIGHT - 10}" style="fill:{_hue(number)}">'
            f"stream {number + 1}</text>"
        )
    return "".join([*parts, "</svg>\n"])


class Panel:
    """One chart over the seconds of the measurement."""

    def __init__(self, top: float, height: float, seconds: float, highest: float) -> None:
        self._top, self._height = top, height
        self._seconds, self._highest = seconds, highest

    def x(self, second: float) -> float:
        """Across."""
        return LEFT + second / self._seconds * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Down; values beyond the top stay at it."""
        share = min(value / self._highest, 1.0)
        return self._top + self._height * (1 - share)

    def frame(self, title: str) -> list[str]:
        """Grid, ticks and title."""
        parts = [_text(LEFT, self._top - 8, title, "quiet")]
        for tick in range(5):
            value = self._highest * tick / 4
            at = self.y(value)
            parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(_text(LEFT - 8, at + 4, f"{value:g}", "y"))
        step = max(1, ceil(self._seconds / 10))
        for second in range(0, int(self._seconds) + 1, step):
            label = f"{second} s" if second == 0 else f"{second}"
            parts.append(_text(self.x(second), self._top + self._height + 17, label, "x"))
        return parts

    def line(self, values: Values, number: int, kind: str = "line") -> str:
        """One stream's values, each in the middle of its second; gaps where there is none."""
        words, drawing = [], False
        for second, value in enumerate(values):
            if value is not None:
                at = f"{self.x(second + 0.5):.1f} {self.y(value):.1f}"
                # Nowhere and back: a second alone between two gaps is a dot.
                words.append(f"L{at}" if drawing else f"M{at}h0")
            drawing = value is not None
        return f'<path class="{kind}" style="stroke:{_hue(number)}" d="{"".join(words)}"/>'


def _top(lines: Sequence[Values]) -> float:
    """The end of an axis: 1, 2, 4 or 8 times a power of ten, which has four even parts."""
    highest = max((value for line in lines for value in line if value), default=1.0)
    decade = 10.0 ** int(log10(max(highest, 1.0)))
    return next(step * decade for step in (1, 2, 4, 8, 10, 20) if step * decade >= highest)


def _hue(number: int) -> str:
    return HUES[number % len(HUES)]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
