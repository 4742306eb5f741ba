"""A result and a certificate as a person reads them, within the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from solverkit.cli import output

if TYPE_CHECKING:
    from solverkit.engine.result import Result
    from solverkit.kinds.base import Certificate, Point, Term

SHOWN = 6
"""Numbers of a block that are shown."""


def show(result: Result) -> None:
    """Print a result: the verdict first, then why it stopped, what it cost, the conditions, and the point."""
    output.heading(f"{result.point_status.name}: {result.problem} by {result.method}")
    output.paragraph(result.certificate.sentence, 2)
    used = ", ".join(f"{name} {count}" for name, count in result.counts.items() if count)
    timing = result.timing
    steps = "step" if result.nit == 1 else "steps"
    rows = [
        ("objective", f"{result.fun:.10g}" if result.fun == result.fun else ""),
        ("stopped", f"{result.termination.name}: {result.termination.value}"),
        ("effort", f"{result.nit} {steps} in {timing['solve']:.3g} s, certificate {timing['certificate']:.3g} s"),
        ("calls", used),
        ("run on", f"{result.device}, {result.dtype}, seed {result.seed}, tol {result.tol:g}"),
    ]
    rows += [("note", note) for note in result.notes[:5]]
    if result.error:
        rows.append(("error", result.error.strip().splitlines()[-1]))
    output.pairs((name, text) for name, text in rows if text)
    show_certificate(result.certificate)
    show_point(result.point)


def show_certificate(certificate: Certificate) -> None:
    """Print the conditions, and the facts that decide nothing."""
    output.heading("certificate")
    if certificate.unverified:
        output.pairs([("unverified", certificate.unverified)])
    if certificate.terms:
        heads = ("condition", "value", "scaling", "ratio", "tolerance", "holds")
        rows = [
            (
                term.name,
                f"{term.value:.2e}",
                f"{term.scaling:.1e}",
                f"{term.value / term.scaling:.2e}",
                f"{term.tolerance:.1e}",
                "yes" if term.ok else "NO",
            )
            for term in certificate.terms
        ]
        output.table(heads, rows)
        output.pairs((term.name, term.note) for term in certificate.terms if term.note)
    facts = certificate.facts.items()
    output.pairs((name, output.number(fact) if isinstance(fact, float) else fact) for name, fact in facts)


def show_point(point: Point) -> None:
    """Print the blocks, long ones by their first numbers."""
    output.heading("point")
    rows = []
    for name, block in point.items():
        numbers = [output.number(value) for value in block.ravel()[:SHOWN].tolist()]
        more = ", ..." if block.size > SHOWN else ""
        shape = " x ".join(str(length) for length in block.shape)
        rows.append((f"{name} ({shape})" if shape else name, ", ".join(numbers) + more))
    output.pairs(rows)


def certificate_dict(certificate: Certificate) -> dict[str, Any]:
    """A certificate as JSON, by the names that `result.json` uses."""
    return {
        "status": certificate.status.name,
        "terms": terms_list(certificate.terms),
        "facts": dict(certificate.facts),
        "unverified": certificate.unverified,
    }


def terms_list(terms: Iterable[Term]) -> list[dict[str, Any]]:
    """Conditions as JSON."""
    return [
        {
            "name": term.name,
            "value": float(term.value),
            "scaling": float(term.scaling),
            "tolerance": float(term.tolerance),
            "ok": bool(term.ok),
            "feasibility": bool(term.feasibility),
            "note": term.note,
        }
        for term in terms
    ]
