"""What the method says is so, and what it does is counted."""

from __future__ import annotations

from solverkit.engine.result import Result
from solverkit.engine.status import Termination
from solverkit.kinds.base import PointStatus
from solverkit.testing.catalogue import check
from solverkit.testing.instruments import Book
from solverkit.testing.subject import Subject, must


@check(
    "tighten the method's own test, or claim nothing and let the limits end the run",
    needs=("point", "reading", "dtype"),
)
def claim(subject: Subject) -> None:
    """Where the method says it has converged, the certificate holds, computed anew from the point alone: after one step
    and at the end."""
    for result in (subject.solve(max_iter=1), subject.full):
        if result.termination is not Termination.CONVERGED:
            continue
        certificate = subject.certificate(result.point)
        broken = [f"{t.name} = {t.value / t.scaling:g} > {t.tolerance:g}" for t in certificate.terms if not t.ok]
        seen = f"converged after {result.nit} steps at a point that is {certificate.status.name}: "
        must(certificate.status is PointStatus.CERTIFIED, seen + (certificate.unverified or "; ".join(broken)))


@check("call oracles on the `problem` that init and step are given, never on its class or a copy")
def counts(subject: Subject) -> None:
    """The counts of a result are the calls that the method made, counted a second time below the engine."""
    book, result = _counted(subject)
    charged = result.get("charged", {})
    reported = {name: count - charged.get(name, 0) for name, count in result.counts.items()}
    reported = {name: count for name, count in reported.items() if count}
    made = {name: count for name, count in book.counts.items() if count}
    must(reported == made, f"the result reports {reported}; the method made {made} in {result.nit} steps")


@check("call the problem's oracles; what a compiled kernel does on the problem's data is told to ctx.charge")
def raw_functions(subject: Subject) -> None:
    """Nothing is computed around the oracles: the functions that a problem is made of are not called directly, unless
    charged."""
    book, result = _counted(subject)
    charged = sum(result.get("charged", {}).values())
    named = ", ".join(f"{name} ({count} times)" for name, count in sorted(book.around.items()))
    must(sum(book.around.values()) <= charged, f"in {result.nit} steps it called {named}; {charged} were charged")


def _counted(subject: Subject) -> tuple[Book, Result]:
    """A short run, and the kit's own record of it."""
    book = Book()
    return book, subject.solve(book=book, max_iter=subject.budget.steps)
