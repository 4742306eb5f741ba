"""The parts of a method are what the protocol says."""

from __future__ import annotations

from math import isfinite
from numbers import Real

import numpy as np
from pydantic import BaseModel, ValidationError

from solverkit.engine.solver import OneShotSolver, Solver
from solverkit.engine.tree import Reader, Writer
from solverkit.errors import CheckpointError, SolverKitError
from solverkit.registry import registry
from solverkit.registry.loading import BadPlugin, check_spec
from solverkit.testing.catalogue import check
from solverkit.testing.digest import digest
from solverkit.testing.report import Failed
from solverkit.testing.subject import Subject, Walk, must

DEVICES, DTYPES = {"cpu", "cuda"}, {"float32", "float64"}


@check("correct the SolverSpec that the plugin's hook returns, or the class that it names")
def spec(subject: Subject) -> None:
    """A method's record has sensible fields, names a kind that is installed and a class of the protocol, and fits the
    problem; its options model is the class's own."""
    record = subject.spec
    try:
        check_spec(record)
        registry.kind(record.kind)
        cls, model = registry.resolve(record)
    except (BadPlugin, SolverKitError) as error:
        raise Failed(str(error)) from None
    must(record.summary.strip(), "its summary is empty")
    must(record.backends and set(record.backends) <= DEVICES, f"backends is {record.backends}; known: cpu, cuda")
    must(record.dtypes and set(record.dtypes) <= DTYPES, f"dtypes is {record.dtypes}; known: float32, float64")
    must(issubclass(cls, (Solver, OneShotSolver)), f"{record.target} is neither a Solver nor a OneShotSolver")
    seen = f"the record says options={record.options!r}, the class has Options = {getattr(cls, 'Options', None)!r}"
    must(getattr(cls, "Options", None) is model, seen)
    must(subject.problem.kind == record.kind, f"it solves {record.kind}; the problem is {subject.problem.kind}")
    missing = sorted(set(record.requires) - subject.problem.provides)
    must(not missing, f"it requires {', '.join(missing)}, which the problem does not provide")


@check("subclass solverkit.plugin.Options and write Field(default, description='meaning, symbol, effect')")
def options(subject: Subject) -> None:
    """Every option has a default and a description; options are frozen; an unknown name is refused."""
    model = registry.options(subject.spec)
    for name, field in model.model_fields.items():
        must(not field.is_required(), f"option {name!r} has no default")
        must((field.description or "").strip(), f"option {name!r} has no description")
    values = model()
    try:
        model(**{"no_option_is_called_so": 1})
    except ValidationError:
        pass
    else:
        raise Failed("an option that does not exist was accepted without a word")
    must(_frozen(values), "an option can be changed after the options were made")


@check("put the options model in a module of its own that imports solverkit.plugin alone")
def light_options(subject: Subject) -> None:
    """Listing a method and its options loads no heavy library."""
    subject.processes_only()
    answer = subject.elsewhere
    must(not answer.error, f"a new process could not run the method: {answer.error}")
    must(not answer.heavy, f"{subject.spec.options} brings {', '.join(answer.heavy)}")


def _frozen(values: BaseModel) -> bool:
    for name in type(values).model_fields:
        try:
            setattr(values, name, getattr(values, name))
        except ValidationError:
            continue
        return False
    return True


@check("return {name: array} with every block of problem.start in its shape, real and finite")
def point(subject: Subject) -> None:
    """A point is a dict of real arrays that holds every block of the problem's start, in its shape."""
    start = subject.start()
    for seen, shown in enumerate(subject.walk().points):
        must(type(shown) is dict, f"point is a {type(shown).__name__}")
        for name, block in start.items():
            must(name in shown, f"after {seen} steps the point has no block {name!r}, only {sorted(shown)}")
            now = shown[name]
            must(now.shape == block.shape, f"block {name!r} has shape {now.shape}, the start has {block.shape}")
            same = now.dtype.kind == block.dtype.kind
            must(same, f"block {name!r} has dtype {now.dtype}, the start has {block.dtype}")
            must(np.isfinite(now).all(), f"block {name!r} is not finite after {seen} steps")


@check("return {name: float}; leave out what is not known yet, and keep words for ctx.log")
def report(subject: Subject) -> None:
    """A report is a dict of finite floats by name; before the first step they may be infinite."""
    for nit, shown in enumerate(subject.walk().reports):
        must(type(shown) is dict, f"report is a {type(shown).__name__}")
        for name, value in shown.items():
            must(isinstance(name, str), f"report has the key {name!r}")
            number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
            must(number, f"report[{name!r}] is {value!r}, a {type(value).__name__}")
            must(isfinite(value) or nit == 0, f"report[{name!r}] is {value} after {nit} steps")


@check("return bool(...)")
def converged(subject: Subject) -> None:
    """`converged` answers True or False."""
    for claim in subject.walk().claims:
        must(isinstance(claim, (bool, np.bool_)), f"it answered {claim!r}, a {type(claim).__name__}")


@check("compute in step what point, report and converged show, and hand out arrays that no later call overwrites")
def reading(subject: Subject) -> None:
    """`point`, `report` and `converged` only read: they change neither the state nor a point handed out before."""
    subject.steps_only()

    def look(walk: Walk) -> None:
        before = digest(walk.state)
        shown = walk.solver.point(walk.state)
        kept = digest(shown)
        walk.solver.report(walk.state)
        walk.solver.converged(walk.state)
        must(digest(shown) == kept, "report or converged changed the point that had been handed out")
        again = walk.solver.point(walk.state)
        must(digest(again) == kept, "point gave two answers for one state")
        must(digest(shown) == kept, "a second call of point changed the first one's answer")
        must(digest(walk.state) == before, "the state is another one after it was read")

    subject.walk(each=look)


@check("keep arrays, numbers, strings, None, and lists, dicts or dataclasses of those; rebuild the rest on demand")
def state(subject: Subject) -> None:
    """A state is a dataclass that the engine can save and restore without help, whole."""
    subject.steps_only()
    package = subject.solver_class.__module__.partition(".")[0]

    def save(walk: Walk) -> None:
        writer = Writer()
        try:
            skeleton = writer.write(walk.state)
            restored = Reader(writer.arrays, {package, "solverkit"}).read(skeleton)
        except (TypeError, CheckpointError) as error:
            raise Failed(str(error)) from None
        must("dataclass" in skeleton, f"the state is a {type(walk.state).__name__}")
        must(digest(restored) == digest(walk.state), "what was restored differs from what was saved")
        extra = sorted(set(getattr(walk.state, "__dict__", ())) - set(getattr(restored, "__dict__", ())))
        must(not extra, f"state.{extra[0] if extra else ''} is no field of its dataclass, so nothing saves it")

    subject.walk(each=save)


@check(
    "keep what changes during a run in the state; the instance holds options and what follows from the problem",
    needs=("same_seed",),
)
def stateless(subject: Subject) -> None:
    """Two runs from one instance are equal: nothing of the first is left on the solver."""
    solver = subject.solver()
    first, second = subject.walk(solver=solver), subject.walk(solver=solver)
    for nit, (one, other) in enumerate(zip(first.points, second.points, strict=False)):
        must(digest(one) == digest(other), f"the second run's point is another one after {nit} steps")
    counts = len(first.points), len(second.points)
    must(counts[0] == counts[1], f"the first run took {counts[0] - 1} steps, the second {counts[1] - 1}")
