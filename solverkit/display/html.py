"""Tables of notebooks: every text escaped and cleaned, no style but widths, so that light and dark pages both suit."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.api import Fit
    from solverkit.kinds.base import Certificate, Problem


def text(value: Any) -> str:
    """One value as safe HTML."""
    return html.escape(clean(value))


def heading(title: Any, rest: Any = "") -> str:
    """A bold word and what follows it."""
    return f"<p><strong>{text(title)}</strong>{': ' if rest else ''}{text(rest)}</p>"


def pairs(rows: Iterable[tuple[Any, Any]]) -> str:
    """Names and values."""
    lines = "".join(f"<tr><th style='text-align:left'>{text(a)}</th><td>{text(b)}</td></tr>" for a, b in rows)
    return f"<table>{lines}</table>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns with a head."""
    top = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = ("".join(f"<td style='text-align:left'>{text(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def of_certificate(certificate: Certificate) -> str:
    """Verdict, terms, facts."""
    rows = [
        (term.name, f"{term.value / term.scaling:.3g}", f"{term.tolerance:.3g}", "yes" if term.ok else "no", term.note)
        for term in certificate.terms
    ]
    parts = [heading(certificate.status.name, certificate.unverified or certificate.sentence)]
    if rows:
        parts.append(table(("condition", "value", "tolerance", "holds", "note"), rows))
    if certificate.facts:
        parts.append(pairs(certificate.facts.items()))
    return "".join(parts)


def of_problem(problem: Problem) -> str:
    """Name, kind, blocks, what it provides and expects."""
    import numpy as np

    blocks = problem.start(np.random.default_rng(0))
    shapes = ", ".join(f"{name} {'x'.join(map(str, block.shape)) or 'scalar'}" for name, block in blocks.items())
    rows = [("blocks", shapes), ("provides", ", ".join(sorted(problem.provides)) or "nothing beyond its values")]
    if problem.expected:
        rows.append(("expected", ", ".join(f"{name} {value}" for name, value in problem.expected.items())))
    rows.append(("fingerprint", problem.fingerprint()[:16]))
    return heading(problem.name, f"{problem.kind} problem") + pairs(rows)


def of_methods(fits: Sequence[Fit]) -> str:
    """A line a method."""
    rows = [
        (fit.spec.name, fit.spec.kind, "yes" if fit.fits else "no", "; ".join(fit.reasons) or fit.spec.summary)
        for fit in fits
    ]
    return table(("method", "kind", "fits", "summary, or why not"), rows)


def of_method(fit: Fit) -> str:
    """All that its record says, and its options."""
    from solverkit.registry import registry

    spec = fit.spec
    rows = [
        ("kind", spec.kind),
        ("pays", spec.pays),
        ("avoid", spec.avoid),
        ("needs", ", ".join(spec.requires)),
        ("runs on", ", ".join((*spec.backends, *spec.dtypes))),
        ("paper", spec.paper),
        *(("does not fit", reason) for reason in fit.reasons),
    ]
    options = [
        (name, repr(field.get_default(call_default_factory=True)), field.description or "")
        for name, field in registry.options(spec).model_fields.items()
    ]
    shown = heading(spec.name, spec.summary) + pairs((name, value) for name, value in rows if value)
    return shown + table(("option", "default", "meaning"), options) if options else shown
