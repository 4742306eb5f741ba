"""The driver: why it stops, which point it returns, and that the certificate alone decides."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from engine_toys import Descent, DescentOptions, Quadratic, Toy, at, descend
from scipy.optimize import OptimizeResult

from solverkit.engine.limits import Limits
from solverkit.engine.solver import Stop
from solverkit.engine.status import PointStatus, Termination, exit_code
from solverkit.errors import MissingPackage, UsageError
from solverkit.kinds.base import Certificate

NAN = float("nan")


class Odd(Descent):
    """Descent with one function replaced."""

    def __init__(self, **replaced):
        super().__init__(DescentOptions())
        for name, function in replaced.items():
            setattr(self, name, function)


def odd(**replaced):
    from engine_toys import SPEC

    from solverkit.engine.driver import run

    how = {key: replaced.pop(key) for key in ("limits", "problem", "kind") if key in replaced}
    return run(
        how.get("problem") or Quadratic(),
        SPEC,
        Odd(**replaced),
        how.get("kind") or Toy(),
        limits=how.get("limits") or Limits(20),
    )


def fails(error):
    def function(*arguments):
        raise error

    return function


# -- limits


def test_max_iter_is_exact():
    for limit in (0, 1, 7):
        result = descend(limits=Limits(max_iter=limit))
        assert (result.nit, result.termination) == (limit, Termination.MAX_ITER)
        assert result.njev == limit


def test_max_calls_stops_after_the_step_that_reaches_it():
    result = descend(limits=Limits(max_calls=11))
    assert result.termination is Termination.MAX_CALLS
    assert result.nfev + result.njev == 12  # two calls a step


def test_max_time_passes_by_one_step_at_most():
    begun = time.perf_counter()
    result = descend(limits=Limits(max_time=0.1), options={"sleep": 0.02})
    assert result.termination is Termination.MAX_TIME
    assert 0.1 <= result.timing["solve"] < 0.2
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "limits", [{"max_iter": -1}, {"max_iter": 1.5}, {"max_time": NAN}, {"max_time": -1}, {"max_calls": True}]
)
def test_limits_that_are_none(limits):
    with pytest.raises(UsageError, match=next(iter(limits))):
        Limits(**limits)


# -- the verdict


def test_a_false_claim_is_not_believed():
    result = descend(options={"claim_at": 2})
    assert result.termination is Termination.CONVERGED
    assert (result.success, result.point_status, result.status) == (False, PointStatus.FEASIBLE, 3)


def test_a_limit_with_a_certified_point_is_a_success():
    result = descend(limits=Limits(300))
    assert (result.termination, result.success, result.status) == (Termination.MAX_ITER, True, 0)


def test_a_certificate_that_fails_is_unverified():
    result = descend(kind=Toy(ValueError("no \x1b[31m way")), limits=Limits(3))
    assert result.point_status is PointStatus.UNVERIFIED
    assert result.certificate.unverified == "ValueError: no ?[31m way"


def test_target_stops_as_soon_as_the_certificate_holds():
    for target in (True, 5):
        kind = Toy()
        result = descend(kind=kind, target=target, limits=Limits(500))
        assert (result.termination, result.status) == (Termination.TARGET, 0)
        assert result.nit < 150
        assert kind.seen < 40
    assert result.nit % 5 == 0


def test_certificates_are_not_the_methods_calls():
    problem = Quadratic()
    result = descend(problem, target=1, limits=Limits(10))
    assert result.oracles == {"value": 10, "gradient": 10}
    assert len(problem.made) == 20
    assert result.timing["total"] == pytest.approx(result.timing["solve"] + result.timing["certificate"])


def test_the_certificate_gets_the_problem_as_given():
    seen = []

    class Spy(Toy):
        def certify(self, problem, point, tol, seed):
            seen.append((problem, point["x"].dtype))
            return super().certify(problem, point, tol, seed)

    problem = Quadratic()
    odd(problem=problem, kind=Spy(), point=lambda state: {"x": state.x.astype("float32")})
    assert all(given is problem and dtype == np.float64 for given, dtype in seen)


@pytest.mark.parametrize(
    ("termination", "status", "proof", "code"),
    [
        (Termination.MAX_TIME, PointStatus.CERTIFIED, False, 0),
        (Termination.ORACLE_FAILED, PointStatus.CERTIFIED, False, 0),
        (Termination.INTERRUPTED, PointStatus.CERTIFIED, False, 130),
        (Termination.CONVERGED, PointStatus.UNVERIFIED, False, 3),
        (Termination.CONVERGED, PointStatus.INFEASIBLE, False, 5),
        (Termination.CALLBACK, PointStatus.FEASIBLE, False, 3),
        (Termination.STALLED, PointStatus.FEASIBLE, False, 5),
        (Termination.INFEASIBLE, PointStatus.INFEASIBLE, False, 5),
        (Termination.INFEASIBLE, PointStatus.INFEASIBLE, True, 4),
        (Termination.UNBOUNDED, PointStatus.FEASIBLE, True, 4),
    ],
)
def test_exit_codes(termination, status, proof, code):
    assert exit_code(termination, status, proof) == code


def test_each_member_says_what_it_means():
    for member in Termination:
        assert member.__doc__ == member.value
        assert len(member.value) > 30


# -- what a method may say


@pytest.mark.parametrize("termination", [Termination.STALLED, Termination.INFEASIBLE, Termination.UNBOUNDED])
def test_stop_of_a_method(termination):
    result = odd(step=fails(Stop(termination, "as I found")))
    assert (result.termination, result.status) == (termination, 5)
    assert "as I found" in result.message


def test_infeasibility_is_proven_by_the_certificate_alone():
    ray = {"x": np.zeros(5), "ray": np.ones(2)}
    result = odd(step=fails(Stop(Termination.INFEASIBLE, point=ray)))
    assert (result.termination, result.status) == (Termination.INFEASIBLE, 4)


# -- failures


@pytest.mark.parametrize("bad", [NAN, float("inf")])
@pytest.mark.parametrize("call", [1, 2, 17])
def test_a_nan_of_an_oracle_is_named(bad, call):
    problem = Quadratic(fault=at("gradient", call, lambda value: value * bad))
    result = descend(problem, limits=Limits(40))
    assert (result.termination, result.nit) == (Termination.NOT_FINITE, call)
    assert f"oracle 'gradient' returned a value that is not finite at call {call}" in result.message
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("call", [1, 17])
@pytest.mark.parametrize(
    ("action", "words"),
    [
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (lambda value: None, "returned None"),
        (lambda value: value * 1j, "complex"),
        (lambda value: "seven", "returned str instead of numbers"),
        (lambda value: np.array([str(each) for each in value]), "returned ndarray instead of numbers"),
        (lambda value: value.astype(object), "returned ndarray instead of numbers"),
    ],
)
def test_an_oracle_that_fails_is_named(action, words, call):
    result = descend(Quadratic(fault=at("gradient", call, action)), limits=Limits(40))
    assert (result.termination, result.status) == (Termination.ORACLE_FAILED, 5)
    assert f"oracle 'gradient' failed at call {call}" in result.message
    assert words in result.message
    assert "Traceback" in result.error
    assert np.isfinite(result.x).all()


def test_an_oracle_that_fails_for_what_another_one_gave_names_both():
    def fault(oracle, call, value):
        if oracle == "gradient" and call >= 9:
            return value[:1]
        if oracle == "value" and call >= 10:
            raise ValueError("of what the gradient gave")
        return value

    result = descend(Quadratic(fault=fault), limits=Limits(40))
    assert result.termination is Termination.ORACLE_FAILED
    assert "oracle 'value' failed at call 10" in result.message
    assert "oracle 'gradient' changed its shape from (5,) to (1,) at call 9" in result.message


def test_an_oracle_of_a_new_shape_is_named():
    result = descend(Quadratic(fault=at("gradient", 9, lambda value: value[:2])), limits=Limits(40))
    assert result.termination is Termination.SOLVER_FAILED
    assert "oracle 'gradient' changed its shape from (5,) to (2,) at call 9" in result.message


@pytest.mark.parametrize(
    "error",
    [
        MissingPackage("needs it; pip install it"),
        ModuleNotFoundError("No module named 'no_such_library'", name="no_such_library"),
    ],
)
def test_a_package_that_a_step_lacks_is_said_with_the_pip_line(error):
    with pytest.raises(MissingPackage, match="pip install"):
        odd(step=fails(error))


@pytest.mark.parametrize("function", ["init", "step", "point", "report", "converged"])
def test_an_error_of_the_method_is_an_outcome(function, capfd):
    result = odd(**{function: fails(RuntimeError("boom"))})
    assert (result.termination, result.status) == (Termination.SOLVER_FAILED, 5)
    assert "RuntimeError: boom" in result.message
    assert "boom" in result.error
    assert result.point.keys() == {"x"}
    assert capfd.readouterr() == ("", "")


class OutOfMemoryError(RuntimeError):
    """As torch's, which is no MemoryError."""


@pytest.mark.parametrize("error", [MemoryError(), OutOfMemoryError("tried to allocate 2 GiB")])
def test_memory_that_runs_out_is_said_with_what_to_do(error):
    def fault(oracle, call, value):
        if call >= 5:
            raise error
        return value

    for result in (odd(step=fails(error)), descend(Quadratic(fault=fault), limits=Limits(40))):
        assert result.termination in (Termination.SOLVER_FAILED, Termination.ORACLE_FAILED)
        assert "memory ran out: take a smaller problem" in result.message
    assert "memory" not in odd(step=fails(RuntimeError("boom"))).message


@pytest.mark.parametrize("point", [3, [1, 2], {"x": "text"}, {"x": np.array([1j])}, {"x": np.full(5, NAN)}])
def test_points_that_are_none(point):
    result = odd(point=lambda state: point)
    assert result.termination in (Termination.SOLVER_FAILED, Termination.NOT_FINITE)
    assert np.isfinite(result.point["x"]).all()


@pytest.mark.parametrize("merit", [NAN, -float("inf")])
def test_a_merit_that_is_no_number(merit):
    assert odd(report=lambda state: {"merit": merit}).termination is Termination.NOT_FINITE


def test_the_methods_usage_errors_are_raised():
    with pytest.raises(UsageError, match="step too long"):
        odd(init=fails(UsageError("step too long")))


# -- best point


def test_the_point_of_lowest_merit_is_kept():
    merits = [9.0, 3.0, 1.0, 5.0, 7.0, 6.0]

    def step(problem, state, ctx):
        state.nit += 1
        state.x[:] = state.nit  # in place: the driver must have copied
        return state

    result = odd(step=step, report=lambda state: {"merit": merits[state.nit]}, limits=Limits(5))
    assert result.x == pytest.approx(np.full(5, 2.0))


def test_without_merit_the_last_point_is_kept():
    result = descend(options={"merit": False}, limits=Limits(300))
    assert result.success


def table(values):
    """Runs a method that fills its point row by row, and says so; it fails where there are no more values."""

    def step(problem, state, ctx):
        state.x[state.nit] = values[state.nit]
        state.nit += 1
        return state

    def written(state):
        return {"x": slice(state.nit - 1, state.nit)}

    return odd(step=step, written=written, report=lambda state: {"rows": float(state.nit)}, limits=Limits(5))


def test_rows_that_were_written_are_kept_when_the_next_step_fails():
    start = Quadratic().start(np.random.default_rng(0))["x"]
    result = table([1.0, 2.0, 3.0])
    assert result.termination is Termination.SOLVER_FAILED
    assert result.x == pytest.approx([1.0, 2.0, 3.0, *start[3:]])


def test_a_written_row_that_is_not_finite_ends_the_run_with_the_rows_before():
    start = Quadratic().start(np.random.default_rng(0))["x"]
    result = table([1.0, NAN, 3.0])
    assert result.termination is Termination.NOT_FINITE
    assert result.x == pytest.approx([1.0, *start[1:]])


def test_where_a_merit_is_reported_the_whole_point_is_kept():
    def step(problem, state, ctx):
        state.nit += 1
        state.x[:] = state.nit
        return state

    result = odd(step=step, written=lambda state: {}, report=lambda state: {"merit": -state.nit}, limits=Limits(3))
    assert result.x == pytest.approx(np.full(5, 3.0))


def test_finish_is_kept_only_where_the_certificate_likes_it():
    def spoil(problem, state, ctx):
        state.x = np.full(5, 1e3)
        return state

    def solve(problem, state, ctx):
        state.x = problem.b / problem.diagonal
        return state

    assert odd(finish=spoil).point_status is PointStatus.FEASIBLE
    assert odd(finish=solve).success
    failed = odd(finish=fails(RuntimeError("no")))
    assert failed.termination is Termination.MAX_ITER
    assert "finish failed" in failed.notes[0]


def test_finish_gets_the_room_of_one_step_after_a_limit_on_calls():
    def polish(problem, state, ctx):
        for _ in range(1000):
            state.x = state.x - 0.3 * problem.gradient(state.x)
        return state

    free = odd(finish=polish)
    assert free.success
    assert sum(free.counts[name] for name in ("nfev", "njev")) > 1000
    limited = odd(finish=polish, limits=Limits(max_calls=9))
    assert limited.termination is Termination.MAX_CALLS
    assert sum(limited.counts[name] for name in ("nfev", "njev")) <= 9 + 2 * 2
    assert "no room for finish" in limited.notes[0]


# -- callbacks


def test_callback_with_an_intermediate_result():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    descend(callback=callback, limits=Limits(4))
    assert [entry.nit for entry in seen] == [1, 2, 3, 4]
    assert isinstance(seen[0], OptimizeResult)
    assert seen[0].fun == pytest.approx(Quadratic().objective(seen[0].point))
    assert not np.shares_memory(seen[0].x, seen[1].x)


def test_callback_with_x():
    seen = []
    descend(callback=lambda x: seen.append(x), limits=Limits(3))
    assert [x.shape for x in seen] == [(5,)] * 3


def test_stop_iteration_ends_the_run():
    def callback(intermediate_result):
        if intermediate_result.nit == 3:
            raise StopIteration

    result = descend(callback=callback, limits=Limits(40))
    assert (result.termination, result.nit, result.success, result.status) == (Termination.CALLBACK, 3, False, 3)


def test_the_callbacks_own_errors_pass():
    def callback(x):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        descend(callback=callback, limits=Limits(3))


def test_a_callback_returning_true_goes_on():
    assert descend(callback=lambda x: True, limits=Limits(3)).nit == 3


# -- before any work


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"device": "cuda"}, "runs on device cpu, not 'cuda'"),
        ({"dtype": "float32"}, "dtype float64"),
        ({"tol": 0.0}, "tol"),
        ({"tol": NAN}, "tol"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"target": -1}, "target"),
        ({"start": {"x": np.full(5, NAN)}}, "NaN"),
        ({"start": {"x": np.ones(3)}}, r"shape \(3,\)"),
        ({"start": {"X": np.ones(5)}}, "none of X is a block"),
        ({"start": {"x": "text"}}, "no array"),
        ({"problem": Quadratic(b=np.full(5, NAN)), "start": {"x": np.full(5, np.inf)}}, "Inf"),
    ],
)
def test_usage_errors(how, words):
    with pytest.raises(UsageError, match=words):
        descend(limits=Limits(1), **how)


def test_start_overrides_blocks_and_scalars_spread():
    assert descend(start={"x": 2.0}, limits=Limits(0)).x == pytest.approx(np.full(5, 2.0))
    extra = descend(start={"x": np.ones(5), "multipliers": np.ones(3)}, limits=Limits(0))
    assert extra.nit == 0


# -- Ctrl-C


def test_the_first_interrupt_returns_the_best_point_and_the_handler_is_restored():
    former = signal.getsignal(signal.SIGINT)
    threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT)).start()
    result = descend(options={"sleep": 0.02}, limits=Limits(max_time=10))
    assert (result.termination, result.status) == (Termination.INTERRUPTED, 130)
    assert 0 < result.nit < 100
    assert signal.getsignal(signal.SIGINT) is former


def test_the_second_interrupt_raises():
    former = signal.getsignal(signal.SIGINT)
    for delay in (0.1, 0.2):
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        descend(options={"sleep": 5.0}, limits=Limits(max_time=10))
    assert signal.getsignal(signal.SIGINT) is former


# -- reproducible, alone and in threads


def trace_of(result):
    return [(record["nit"], record["counts"], record["report"]) for record in result.trace]


def test_equal_seeds_give_equal_runs():
    runs = [descend(seed=3, options={"noise": 0.1}, limits=Limits(30)) for _ in range(2)]
    assert trace_of(runs[0]) == trace_of(runs[1])
    assert runs[0].x.tobytes() == runs[1].x.tobytes()
    assert descend(seed=4, options={"noise": 0.1}, limits=Limits(30)).x.tobytes() != runs[0].x.tobytes()


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    descend(options={"noise": 0.1}, limits=Limits(5))
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_eight_threads_give_the_results_of_one():
    def one(seed):
        return descend(seed=seed, options={"noise": 0.1}, limits=Limits(60))

    alone = [one(seed) for seed in range(8)]
    together: dict[int, object] = {}
    threads = [threading.Thread(target=lambda s=seed: together.update({s: one(s)})) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, result in enumerate(alone):
        assert result.x.tobytes() == together[seed].x.tobytes()
        assert result.counts == together[seed].counts
        assert trace_of(result) == trace_of(together[seed])


def test_a_certificate_of_another_type_is_no_certificate():
    class Liar(Toy):
        def certify(self, problem, point, tol, seed):
            return True

    assert descend(kind=Liar(), limits=Limits(1)).point_status is PointStatus.UNVERIFIED
    assert Certificate(()).status is PointStatus.UNVERIFIED
