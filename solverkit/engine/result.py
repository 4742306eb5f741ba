"""What a run gives back: SciPy's `OptimizeResult`, with the certificate that makes `success` mean something."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult

from solverkit.engine.plain import plain
from solverkit.engine.status import PointStatus, Termination
from solverkit.errors import SolverKitError
from solverkit.kinds.base import Certificate, Point
from solverkit.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class NotCertified(SolverKitError):
    """Raised by `result.raise_for_status()`; carries the result."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.exit_code = result.status
        super().__init__(result.message)

    def __reduce__(self) -> tuple:
        return (type(self), (self.result,))


class Result(OptimizeResult):
    """The outcome of a run. `success` is true where the point is CERTIFIED, and nowhere else.

    Besides SciPy's `x, fun, success, status, message, nit, nfev, ...`:
    """

    x: np.ndarray | None  # the point as one vector; None for kinds whose points are none
    fun: float  # the objective, NaN for kinds without one
    success: bool
    status: int  # exit code of the command line, see `engine.status.exit_code`; 1 for an answer that could not be saved
    message: str
    nit: int
    point: Point  # named blocks
    termination: Termination  # why the run stopped
    point_status: PointStatus  # what the point is
    certificate: Certificate
    options: dict[str, Any]  # effective options of the method, defaults included
    tol: float
    seed: int
    counts: dict[str, int]  # the method's oracle calls by counter; the certificate's are not among them
    oracles: dict[str, int]  # calls by oracle
    charged: dict[str, int]  # the part of `counts` that is the method's word: work of its compiled kernels
    timing: dict[str, float]  # seconds: solve, certificate, total
    trace: list[dict[str, Any]]  # thinned records: nit, time, counts, report
    notes: list[str]  # sentences of the method, and what could not be written
    fingerprint: str  # of the problem
    versions: dict[str, str]
    device: str
    dtype: str
    method: str
    kind: str
    problem: str  # its name
    source: str  # its file, empty where it has none
    error: str  # traceback of a failure, empty otherwise
    folder: str  # where it is on disk, empty where it is not

    def raise_for_status(self) -> Result:
        """The result itself where it is certified; NotCertified otherwise."""
        if not self.success:
            raise NotCertified(self)
        return self

    def to_json(self, large: int = 1000, path: str = "point.npz") -> dict[str, Any]:
        """A dict of JSON's own types. Blocks of more than `large` numbers are given as `path#block`."""
        return {
            "solverkit": 1,
            "problem": self.problem,
            "kind": self.kind,
            "source": self.source,
            "method": self.method,
            "objective": plain(self.fun),
            "point_status": self.point_status.name,
            "termination": self.termination.name,
            "message": self.message,
            "status": self.status,
            "certificate": _certificate(self.certificate),
            "nit": self.nit,
            "counts": self.counts,
            "oracles": self.oracles,
            "charged": self.charged,
            "timing": plain(self.timing),
            "options": plain(self.options),
            "tol": self.tol,
            "seed": self.seed,
            "device": self.device,
            "dtype": self.dtype,
            "fingerprint": self.fingerprint,
            "versions": self.versions,
            "notes": self.notes,
            "error": self.error,
            "point": {
                name: plain(block) if block.size <= large else f"{path}#{name}" for name, block in self.point.items()
            },
        }

    def save(self, folder: str | Path) -> Path:
        """Write `result.json`, `point.npz`, and `trace.jsonl` where the run wrote none; each whole or not at all."""
        from solverkit.engine.archive import save

        return save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read what `save` wrote, as data that nobody vouches for: InvalidProblem says what is wrong with it."""
        from solverkit.engine.archive import load

        return load(Path(folder))

    def plot(self) -> Figure:
        """Its trace against seconds and calls, its certificate and its answer in one figure; see `sk.plot`."""
        from solverkit.display.plot import plot

        return plot(self)

    def table(self) -> str:
        """The result as plain text, safe on a terminal."""
        lines = [f"{self.point_status.name}: {clean(self.certificate.sentence)}"]
        lines += [f"  {name:<12} {value}" for name, value in self._rows()]
        return "\n".join([*lines, *certificate_lines(self.certificate)])

    def _rows(self) -> list[tuple[str, str]]:
        """Label and value, cleaned."""
        used = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        rows = [
            ("problem", f"{self.problem} ({self.kind})"),
            ("method", f"{self.method} on {self.device}, {self.dtype}, seed {self.seed}"),
            ("objective", f"{self.fun:.10g}"),
            ("stopped", f"{self.termination.name}: {self.termination.value}"),
            ("effort", f"{self.nit} iterations, {self.timing['solve']:.3g} s, {used or 'no oracle calls'}"),
            ("certificate", f"tol {self.tol:g}, {self.timing['certificate']:.3g} s"),
        ]
        if self.certificate.unverified:
            rows.append(("unverified", self.certificate.unverified))
        rows += [("note", note) for note in self.notes[:5]]
        return [(name, clean(value)) for name, value in rows]

    def __repr__(self) -> str:
        return self.table()

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """The same content for a notebook, every text escaped."""
        from solverkit.display.html import heading, of_certificate, pairs

        status = heading(self.point_status.name, self.certificate.sentence)
        return status + pairs(self._rows()) + of_certificate(self.certificate)

    def __reduce__(self) -> tuple:
        return (type(self), (dict(self),))


def certificate_lines(certificate: Certificate) -> list[str]:
    """One line a term: `name  value <= tolerance  ok`."""
    width = max((len(clean(term.name)) for term in certificate.terms), default=0)
    lines = []
    for term in certificate.terms:
        sign, verdict = ("<=", "ok") if term.ok else (">", "VIOLATED")
        ratio = term.value / term.scaling
        note = f"  {clean(term.note)}" if term.note else ""
        lines.append(f"    {clean(term.name):<{width}}  {ratio:10.3e} {sign:<2} {term.tolerance:.1e}  {verdict}{note}")
    return lines + [f"    {clean(name)}: {clean(value)}" for name, value in certificate.facts.items()]


def _certificate(certificate: Certificate) -> dict[str, Any]:
    """The certificate in JSON's own types, with the ratio that decides spelled out."""
    return {
        "status": certificate.status.name,
        "terms": [
            {
                "name": term.name,
                "value": plain(float(term.value)),
                "scaling": plain(float(term.scaling)),
                "tolerance": plain(float(term.tolerance)),
                "ok": bool(term.ok),
                "feasibility": term.feasibility,
                "note": term.note,
            }
            for term in certificate.terms
        ],
        "facts": plain(dict(certificate.facts)),
        "unverified": certificate.unverified,
    }
