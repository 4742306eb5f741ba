"""Pictures of runs: what the trace says against seconds and against oracle calls, the certificate, and the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from solverkit.errors import MissingPackage, SolverKitError, UsageError
from solverkit.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from solverkit.engine.result import Result

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart by all kinds of sight; with lines of other styles from the eighth run on."""
STYLES = ("-", "--", ":", "-.")
QUANTITIES = {
    "merit": "merit: what the method lowers",
    "objective": "objective",
    "violation": "violation of constraints",
}
"""What is drawn of the reports, where a run has it; `merit` is in the method's own units."""
HOLDS, VIOLATED = "#009E73", "#D55E00"
FLOOR = 1e-12  # of the ratios of a certificate on the logarithmic axis


def plot(results: Result | Sequence[Result], labels: Sequence[str] | None = None) -> Figure:
    """Runs in one figure: reported quantities against time and calls, and for a single run its certificate and answer.

    results : one Result or several, solved or loaded
    labels : names of the runs; default: their methods

    Returns a `matplotlib.figure.Figure`, which a notebook shows and `savefig` writes; no window is opened. Raises
    MissingPackage without matplotlib."""
    runs: list[Result] = list(results) if isinstance(results, (list, tuple)) else [cast("Result", results)]
    if not runs:
        raise UsageError("there is nothing to plot: give at least one result")
    names = [clean(run.method, 40) for run in runs] if labels is None else [clean(label, 40) for label in labels]
    if len(names) != len(runs):
        raise UsageError(f"{len(runs)} results and {len(names)} labels: give one label for each")
    quantities = [name for name in QUANTITIES if any(_values(run, name) for run in runs)]
    rows = len(quantities) + (len(runs) == 1)
    if not rows:
        raise UsageError("none of the results has a trace to plot")
    picture = _picture(rows)
    grid = picture.add_gridspec(rows, 2)
    for row, quantity in enumerate(quantities):
        for column, unit in enumerate(("seconds", "oracle calls")):
            _curves(picture.add_subplot(grid[row, column]), runs, names, quantity, unit)
    if len(runs) == 1:
        _certificate(picture.add_subplot(grid[-1, 0]), runs[0])
        _answer(picture.add_subplot(grid[-1, 1]), runs[0])
    elif picture.axes:
        picture.axes[0].legend(fontsize="small")
    first = runs[0]
    verdict = f": {first.point_status.name} by {names[0]}" if len(runs) == 1 else ""
    picture.suptitle(f"{clean(first.problem, 60)} ({clean(first.kind, 30)}){verdict}")
    return picture


def _picture(rows: int) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingPackage('pictures need matplotlib; pip install "solverkit[plot]"') from None

    class Picture(Figure):
        """A figure that a notebook shows without being told, and that no window manager knows."""

        def _repr_png_(self) -> bytes:
            stream = BytesIO()
            self.savefig(stream, format="png", dpi=100)
            return stream.getvalue()

    picture = Picture(figsize=(9, 1 + 2.6 * rows), layout="constrained")
    FigureCanvasAgg(picture)
    return picture


def _values(run: Result, quantity: str) -> list[tuple[float, float, float]]:
    """(seconds, calls, value) of the records that have a finite one."""
    found = []
    for record in run.trace:
        value = record.get("report", {}).get(quantity)
        if value is not None and math.isfinite(value):
            found.append((record["time"], sum(record["counts"].values()), value))
    return found


def _curves(axes: Any, runs: Sequence[Result], names: Sequence[str], quantity: str, unit: str) -> None:
    lowest = math.inf
    for k, (run, name) in enumerate(zip(runs, names, strict=True)):
        values = _values(run, quantity)
        lowest = min([lowest, *(value for _, _, value in values)])
        at = [calls if unit == "oracle calls" else seconds for seconds, calls, _ in values]
        style = STYLES[k // len(COLOURS) % len(STYLES)]
        marker = "o" if len(values) <= 30 else ""
        shown = f"{name} ({run.point_status.name})"
        heights = [value for *_, value in values]
        axes.plot(at, heights, style, color=COLOURS[k % len(COLOURS)], marker=marker, markersize=3, label=shown)
    if quantity != "objective" and lowest >= 0:
        axes.set_yscale("log" if lowest > 0 else "symlog", **({} if lowest > 0 else {"linthresh": 1e-12}))
    axes.set_xlabel(unit)
    axes.set_ylabel(QUANTITIES[quantity], fontsize="small")
    axes.grid(alpha=0.3)


def _certificate(axes: Any, run: Result) -> None:
    """Each condition's value over its tolerance: what is left of the line holds."""
    terms = run.certificate.terms
    axes.set_title("certificate: value over tolerance", fontsize="medium")
    if not terms:
        axes.text(0.5, 0.5, clean(run.certificate.unverified or "not computed", 200), ha="center", wrap=True)
        axes.set_axis_off()
        return
    ratios = [term.value / term.scaling / term.tolerance if term.tolerance > 0 else math.nan for term in terms]
    shown = [max(ratio, FLOOR) if math.isfinite(ratio) else 1e3 for ratio in ratios]
    colours = [HOLDS if term.ok else VIOLATED for term in terms]
    left = min(1e-3, *shown) / 10
    axes.barh(range(len(terms)), [value - left for value in shown], left=left, color=colours)
    axes.set_yticks(range(len(terms)), [clean(term.name, 40) for term in terms], fontsize="small")
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(left, 10 * max(1.0, *shown))
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_xlabel("1 is the limit")
    for k, term in enumerate(terms):
        axes.text(1.3, k, "holds" if term.ok else "VIOLATED", va="center", fontsize="small")


def _answer(axes: Any, run: Result) -> None:
    """As the kind draws it; block by block where the kind is not installed here."""
    from solverkit.display.blocks import draw
    from solverkit.registry import registry

    try:
        title = registry.kind(run.kind).plot(run.point, axes)
    except SolverKitError:
        title = draw(run.point, axes)
    axes.set_title(title, fontsize="medium")
