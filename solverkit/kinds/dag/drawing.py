"""A learnt graph as SVG: layers from causes at the top to effects at the bottom, thicker lines for stronger edges.

Layers are longest paths from the roots; within a layer variables are sorted by the mean place of their parents, a few
times down and up (the barycentre heuristic of Sugiyama 1981). No library, no script, readable in light and dark.
"""

from __future__ import annotations

import html

import numpy as np

from solverkit.kinds.dag.acyclic import topological_order
from solverkit.text import clean

STEP_X, STEP_Y, MARGIN, HALF = 112, 92, 60, 12
ASKEW = (0.0, 1.4, -1.0, 0.7, -1.6, 1.0, -0.4)
"""Where short rows stand beside the middle, in steps."""

LONGEST = 14
"""Letters of a name that are shown."""

STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#222;text-anchor:middle}"
    ".share{font-size:9px;paint-order:stroke;stroke:#fff;stroke-width:2.5px}"
    "rect{fill:#e8eefc;stroke:#3355aa}path{fill:none;stroke:#3355aa;stroke-opacity:.65}"
    ".minus{stroke:#b3402a}.plus-tip{fill:#3355aa}.minus-tip{fill:#b3402a}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.share{stroke:#1c1c1c}rect{fill:#22304f;stroke:#8fb0ff}path{stroke:#8fb0ff}"
    ".minus{stroke:#ff9d85}.plus-tip{fill:#8fb0ff}.minus-tip{fill:#ff9d85}}"
)


def draw(W: np.ndarray, names: tuple[str, ...], frequencies: np.ndarray | None = None) -> str:
    """The picture of an acyclic W, (d, d); negative weights in red. ValueError where there is a cycle.

    frequencies : (d, d) in [0, 1], shares of bootstraps, written beside the edges
    """
    places = _places(W != 0)
    width = int(places[:, 0].max(initial=0) + 2 * MARGIN)
    height = int(places[:, 1].max(initial=0) + 2 * MARGIN)
    places = places + MARGIN
    title = f"Graph of {len(names)} variables and {np.count_nonzero(W)} edges"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{title}</title><style>{STYLE}</style><defs>{_tip("plus")}{_tip("minus")}</defs>'
    ]
    largest = float(np.abs(W).max(initial=0.0)) or 1.0
    shown = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    halves = [np.array([max(3.4 * len(name) + 8, 15), HALF]) for name in shown]
    for i, j in np.argwhere(W != 0):
        label = "" if frequencies is None else f"{100 * frequencies[i, j]:.0f} %"
        ends = _rims(places[i], halves[i], places[j], halves[j])
        parts.append(_edge(*ends, float(W[i, j]), largest, label))
    for (x, y), half, name, short in zip(places, halves, names, shown, strict=True):
        parts.append(
            f"<g><title>{html.escape(clean(name, 200))}</title>"
            f'<rect x="{x - half[0]:.1f}" y="{y - HALF:.1f}" width="{2 * half[0]:.1f}" height="{2 * HALF}" '
            f'rx="{HALF}"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}">{html.escape(clean(short))}</text></g>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _tip(sign: str) -> str:
    return (
        f'<marker id="{sign}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="{sign}-tip" style="stroke:none" '
        'd="M0 0L8 4L0 8z"/></marker>'
    )


def _rims(start: np.ndarray, first: np.ndarray, end: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a line between two boxes, given by middle and half sizes, leaves the one and meets the other."""
    direction = end - start
    with np.errstate(divide="ignore"):
        leave = float((first / np.abs(direction)).min())
        meet = float(((last + 2) / np.abs(direction)).min())
    return start + direction * leave, end - direction * meet


def _edge(start: np.ndarray, end: np.ndarray, weight: float, largest: float, label: str) -> str:
    """A curve, bent sideways so that longer ones pass beside the variables between."""
    direction = end - start
    length = float(np.hypot(*direction)) or 1.0
    bend = np.array([-direction[1], direction[0]]) / length * min(0.3 * max(length - STEP_Y, 0.0), 70.0)
    middle = (start + end) / 2 + bend
    sign = "minus" if weight < 0 else "plus"
    thick = 0.7 + 2.3 * abs(weight) / largest
    line = (
        f'<path class="{sign}" stroke-width="{thick:.1f}" marker-end="url(#{sign})" '
        f'd="M{start[0]:.1f} {start[1]:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {end[0]:.1f} {end[1]:.1f}">'
        f"<title>{weight:.3g}</title></path>"
    )
    if not label:
        return line
    along = 0.3 + 0.07 * (round(start[0] + 3 * end[0] + 5 * start[1]) % 6)  # not all of them at one height
    at = (1 - along) ** 2 * start + 2 * along * (1 - along) * middle + along**2 * end
    return f'{line}<text class="share" x="{at[0]:.0f}" y="{at[1]:.0f}">{label}</text>'


def _places(edges: np.ndarray) -> np.ndarray:
    """(d, 2) coordinates from 0."""
    order = topological_order(edges)
    if order is None:
        raise ValueError("the graph has a cycle")
    d = len(edges)
    layer = np.zeros(d, dtype=int)
    for j in order:
        parents = np.flatnonzero(edges[:, j])
        layer[j] = layer[parents].max(initial=-1) + 1
    alone = ~(edges.any(axis=0) | edges.any(axis=1))
    rows = [np.flatnonzero((layer == k) & ~alone) for k in range(int(layer.max(initial=0)) + 1)]
    rows = [row for row in [*rows, *_wrapped(np.flatnonzero(alone))] if len(row)]
    across = np.zeros(d)
    for row in rows:
        across[row] = _spread(len(row))
    joined = (edges | edges.T).astype(float)
    for sweep in range(8):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            counts = joined[row].sum(axis=1)
            wished = np.where(counts > 0, joined[row] @ across / np.maximum(counts, 1), across[row])
            across[row[np.argsort(wished, kind="stable")]] = _spread(len(row))
    places = np.zeros((d, 2))
    for k, row in enumerate(rows):
        # rows askew, so that lines between them do not coincide: those of one or two variables by more
        aside = STEP_X * (ASKEW[k % len(ASKEW)] if len(row) <= 2 else 0.25 * (k % 2))
        places[row] = np.column_stack([across[row] + aside, np.full(len(row), k * STEP_Y)])
    places[:, 0] -= places[:, 0].min(initial=0.0)
    return places


def _spread(count: int) -> np.ndarray:
    """Places of a row about its middle."""
    return (np.arange(count) - (count - 1) / 2) * STEP_X


def _wrapped(row: np.ndarray, most: int = 12) -> list[np.ndarray]:
    """Variables without any edge, in rows of their own."""
    return [row[k : k + most] for k in range(0, len(row), most)]
