"""A tuner as JSON: versioned, checked on the way in, nothing executable."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solverkit.errors import UsageError
from solverkit_sor.tuner.history import History
from solverkit_sor.tuner.hold import Hold
from solverkit_sor.tuner.prospects import Prospects
from solverkit_sor.tuner.space import Arms

if TYPE_CHECKING:
    from solverkit_sor.tuner.sequence import SequenceTuner

VERSION: Literal[1] = 1
MOST_BYTES = 1 << 28

Value = str | bool | int | float | None


class SavedArms(BaseModel):
    """The combinations of the space."""

    model_config = ConfigDict(extra="forbid")

    parameters: list[dict[str, Value]] = Field(min_length=1, max_length=2000)
    groups: list[int]
    coordinates: list[list[float]]

    def arms(self) -> Arms:
        count = len(self.parameters)
        coordinates = np.array(self.coordinates, dtype=float).reshape(count, -1)
        if len(self.groups) != count or not np.isfinite(coordinates).all():
            raise ValueError("arms, groups and coordinates are not of one length")
        return Arms(self.parameters, np.array(self.groups, dtype=int), coordinates)


class SavedHistory(BaseModel):
    """Rounds, as columns."""

    model_config = ConfigDict(extra="forbid")

    arms: list[int]
    costs: list[float]
    contexts: list[list[float]]
    failed: list[bool]

    def history(self, arms: int) -> History:
        if not len(self.arms) == len(self.costs) == len(self.contexts) == len(self.failed):
            raise ValueError("the history's columns are not of one length")
        if any(not 0 <= arm < arms for arm in self.arms) or any(not 0 <= cost < float("inf") for cost in self.costs):
            raise ValueError("the history has an arm or a cost that no round can have")
        history = History()
        for arm, cost, context, failed in zip(self.arms, self.costs, self.contexts, self.failed, strict=True):
            history.add(arm, cost, np.array(context), failed)
        return history


class SavedHold(BaseModel):
    """The choice that is kept."""

    model_config = ConfigDict(extra="forbid")

    arm: int
    limit: float | None
    context: list[float]
    left: int = Field(le=1000)
    on: bool


class SavedTuner(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["solverkit-sequence-tuner"] = "solverkit-sequence-tuner"
    version: Literal[1] = VERSION
    options: dict[str, Any]
    cost: Literal["work", "time", "cpu", "function"]
    rng: dict[str, Any]
    arms: SavedArms | None
    history: SavedHistory
    names: list[str] | None
    context_count: int | None
    queue: list[int]
    due: int
    hold: SavedHold
    work: float | None
    accounts: dict[int, tuple[float | None, float | None]]
    corrected: list[int]
    size: int | None
    rate: float | None
    learner: dict[str, Any] | None
    learner_contexts: int
    prior: list[float] | None
    backstop: dict[str, Any] | None
    solutions: list[list[float]] = []


def write(tuner: SequenceTuner) -> dict[str, Any]:
    """All that the next rounds depend on, as what `json` can write."""
    return plain(snapshot(tuner))


def snapshot(tuner: SequenceTuner) -> dict[str, Any]:
    """The same with arrays as they are, and the tuner's own lists: O(1) in the length of the history."""
    from solverkit_sor.learners import LogTS

    arms = tuner.arms
    learner = tuner.learner
    return {
        "format": "solverkit-sequence-tuner",
        "version": VERSION,
        "options": {
            "policy": tuner.policy,
            "safe": tuner.safe,
            "cap": tuner.cap,
            "guess": tuner.guess,
            "discount": tuner.discount,
            "context_range": tuner.context_range,
        },
        "cost": tuner.cost if isinstance(tuner.cost, str) else "function",
        "rng": tuner.rng.bit_generator.state,
        "arms": arms and {"parameters": arms.parameters, "groups": arms.groups, "coordinates": arms.coordinates},
        "history": {name: getattr(tuner.history, name) for name in ("arms", "costs", "contexts", "failed")},
        "names": tuner.names.names,
        "context_count": tuner.names.count,
        "queue": list(tuner.prospects.queue),
        "due": tuner.prospects.due,
        "hold": asdict(tuner.hold),
        "work": tuner.work if np.isfinite(tuner.work) else None,
        "accounts": dict(tuner.prospects.accounts),
        "corrected": sorted(tuner.prospects.corrected),
        "size": tuner.size,
        "rate": tuner.clock.rate if np.isfinite(tuner.clock.rate) else None,
        "learner": learner and learner.state(),
        "learner_contexts": learner.window.count if isinstance(learner, LogTS) else 0,
        "prior": learner.prior.copy() if isinstance(learner, LogTS) else None,
        "backstop": tuner._backstop and tuner._backstop.state(),
        "solutions": tuner._solutions,
    }


def plain(value: Any) -> Any:
    """Arrays as lists and NumPy's numbers as Python's, all the way down."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def read(kind: type[SequenceTuner], path: str | Path, cost: Callable | None) -> SequenceTuner:
    """See `SequenceTuner.load`."""
    path = Path(path)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path}: no such file, or too large for a saved tuner")
    try:
        text = path.read_text(encoding="utf-8")
        return restore(kind, SavedTuner.model_validate(json.loads(text)), cost)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: not a saved tuner of this version: {place}: {first['msg']}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}: not a saved tuner: {error}") from error


def restore(kind: type[SequenceTuner], saved: SavedTuner, cost: Callable | None) -> SequenceTuner:
    """The tuner of a file that was read."""
    if saved.cost == "function" and cost is None:
        raise UsageError("the saved tuner's cost was a function: give it again, load(path, cost=...)")
    interval = saved.options.get("context_range")
    options = {**saved.options, "context_range": None if interval is None else tuple(interval)}
    tuner = kind("auto", cost if saved.cost == "function" and cost is not None else saved.cost, **options)
    tuner.rng = np.random.default_rng()
    tuner.rng.bit_generator.state = saved.rng
    tuner.arms = None if saved.arms is None else saved.arms.arms()
    tuner.history = saved.history.history(0 if tuner.arms is None else len(tuner.arms))
    tuner.names.names, tuner.names.count = saved.names, saved.context_count
    tuner.size = saved.size
    tuner.prospects = Prospects(saved.queue, dict(saved.accounts), set(saved.corrected), saved.due)
    tuner.hold, tuner.work = Hold(**saved.hold.model_dump()), np.inf if saved.work is None else saved.work
    tuner.clock.rate = float("nan") if saved.rate is None else saved.rate
    if saved.learner is not None and tuner.arms is not None:
        prior = None if saved.prior is None else np.array(saved.prior, dtype=float)
        learner = tuner._make_learner(tuner.arms, saved.learner_contexts, prior)
        learner.load(saved.learner)
        tuner.learner = learner
    if saved.backstop is not None:
        tuner._ready().load(saved.backstop)
    tuner._solutions = [np.array(x, dtype=float) for x in saved.solutions]
    return tuner
