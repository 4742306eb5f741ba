"""Line plots as inline SVG: axes, grid, step lines, end marks, and a legend beside the plot.

The colours are classes of the page's style sheet (`solverkit.bench.report.style`), so that a plot follows its light or
dark theme. A plot is 360 units wide and is drawn about as wide on the page, so its letters keep a readable size.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from solverkit.bench.report.scales import Scale
from solverkit.text import clean

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 10, 44
NEAR = 0.6
"""Points closer than this to the former one, in units of the plot, are not drawn."""

LONG = 5
"""Letters that fit beside the vertical axis; more are squeezed."""

COLOURS = 8
"""Colours, and patterns of dashes; together they tell 64 lines apart."""


@dataclass(frozen=True)
class Line:
    """A step line through `points`, flat from each to the next. `style` is the number of its label."""

    style: int
    points: Sequence[tuple[float, float]]
    end: Literal["", "dot", "cross"] = ""


@dataclass(frozen=True)
class Plot:
    """`title` and `description` are for those who cannot see it; the page shows its own heading."""

    key: str  # unique on the page: letters, digits, hyphens
    title: str
    description: str
    x: Scale
    y: Scale
    x_label: str
    y_label: str
    lines: Sequence[Line]


def escape(text: object, limit: int = 500) -> str:
    """Text for a page: cleaned, and `<`, `>`, `&` and quotes as entities."""
    return html.escape(clean(text, limit), quote=True)


def style_class(number: int) -> str:
    """Colour and dashes of label `number`: the same on every plot of the page."""
    return f"c{number % COLOURS} d{(number + number // COLOURS) % COLOURS}"


def draw(plot: Plot) -> str:
    """The `<svg>` element."""
    lines = [_line(plot, line) for line in plot.lines]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{plot.key}-t {plot.key}-d">'
        f'<title id="{plot.key}-t">{escape(plot.title)}</title>'
        f'<desc id="{plot.key}-d">{escape(plot.description, 1000)}</desc>'
        f"{_axes(plot)}{''.join(lines)}</svg>"
    )


def legend(labels: Iterable[str]) -> str:
    """The labels with a piece of their lines, as a list that wraps like text."""
    items = [
        f'<li><svg class="key" viewBox="0 0 34 10" aria-hidden="true"><path class="line {style_class(number)}" '
        f'd="M1 5H33"/></svg>{escape(label, 80)}</li>'
        for number, label in enumerate(labels)
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _across(plot: Plot, value: float) -> float:
    return LEFT + plot.x.place(value) * (WIDTH - LEFT - RIGHT)


def _down(plot: Plot, value: float) -> float:
    return HEIGHT - BOTTOM - plot.y.place(value) * (HEIGHT - BOTTOM - TOP)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _axes(plot: Plot) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    grid, texts = [], []
    for value, label in plot.x.ticks():
        x = _short(_across(plot, value))
        grid.append(f"M{x} {TOP}V{bottom}")
        texts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    for value, label in plot.y.ticks():
        y = _down(plot, value)
        grid.append(f"M{LEFT} {_short(y)}H{right}")
        squeezed = f' textLength="{LEFT - 22}" lengthAdjust="spacingAndGlyphs"' if len(label) > LONG else ""
        texts.append(f'<text x="{LEFT - 6}" y="{_short(y + 4)}" text-anchor="end"{squeezed}>{label}</text>')
    middle = (TOP + bottom) / 2
    return (
        f'<path class="grid" d="{"".join(grid)}"/><path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
        f"{''.join(texts)}"
        f'<text x="{(LEFT + right) / 2:g}" y="{HEIGHT - 6}" text-anchor="middle">{escape(plot.x_label)}</text>'
        f'<text transform="translate(11 {middle:g}) rotate(-90)" text-anchor="middle">{escape(plot.y_label)}</text>'
    )


def _line(plot: Plot, line: Line) -> str:
    points = _thin(
        [(_across(plot, x), _down(plot, y)) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
    )
    if not points:
        return ""
    x, y = points[0]
    parts = [f"M{_short(x)} {_short(y)}"]
    for x, down in points[1:]:
        parts.append(f"H{_short(x)}" + (f"V{_short(down)}" if down != y else ""))
        y = down
    drawn = f'<path class="line {style_class(line.style)}" d="{"".join(parts)}"/>'
    return drawn + _mark(line, x, y)


def _mark(line: Line, x: float, y: float) -> str:
    colour = f"c{line.style % COLOURS}"
    if line.end == "dot":
        return f'<circle class="dot {colour}" cx="{_short(x)}" cy="{_short(y)}" r="3.5"/>'
    if line.end == "cross":
        return f'<path class="cross {colour}" d="M{_short(x - 4)} {_short(y - 4)}l8 8m0 -8l-8 8"/>'
    return ""


def _thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the points that nobody could tell from the former one; the last one stays."""
    kept: list[tuple[float, float]] = []
    for x, y in points:
        if not kept or abs(x - kept[-1][0]) >= NEAR or abs(y - kept[-1][1]) >= NEAR:
            kept.append((x, y))
    if kept and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept
