"""Every map by what defines it: a subgradient at the result, and nothing copied from the code."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array

from solverkit.operators import proximal as pm
from solverkit.operators import sets
from tests.operators.proximal.maps import DEPENDENT, EACH, INSIDE, MAPS, PROJECTIONS, A, N

torch = pytest.importorskip("torch")
SCALES = st.sampled_from([1e-3, 1.0, 1e3])


@pytest.mark.parametrize("name", MAPS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=SCALES, step=st.sampled_from([0.1, 1.0, 7.0]))
def test_optimality(name, seed, size, step):
    """h(w) >= h(p) + <(v - p) / step, w - p> for every w in the domain; that is what makes p the proximal point."""
    h = MAPS[name]
    rng = np.random.default_rng(seed)
    v = size * rng.normal(size=(6, N))
    before = v.copy()
    p = h.prox(v, step)
    np.testing.assert_array_equal(v, before)
    assert p is not v
    assert p.shape == v.shape
    slope = (v - p) / step
    here = h.value(p)
    assert np.all(np.isfinite(here))
    for w in (h.prox(size * rng.normal(size=v.shape), step), h.prox(p + 1e-3 * rng.normal(size=v.shape), step)):
        gain = h.value(w) - here - (slope * (w - p)).sum(axis=-1)
        assert np.all(gain >= -1e-9 * (1 + size) * (1 + np.linalg.norm(slope, axis=-1)))


@pytest.mark.parametrize("name", MAPS)
def test_fenchel_young(name):
    """h(p) + h*(g) = <p, g>, g = (v - p) / step: the conjugate is right, and g is a subgradient exactly."""
    h = MAPS[name]
    if name == "polyhedron":
        with pytest.raises(NotImplementedError, match="conjugate"):
            h.conjugate(np.zeros(N))
        return
    v = 2 * np.random.default_rng(0).normal(size=(20, N))
    p = h.prox(v, 0.6)
    g = (v - p) / 0.6
    np.testing.assert_allclose(h.value(p) + h.conjugate(g), (p * g).sum(axis=-1), atol=1e-10)
    other = np.random.default_rng(1).normal(size=v.shape)
    assert np.all(h.value(p) + h.conjugate(other) >= (p * other).sum(axis=-1) - 1e-10)


@pytest.mark.parametrize("name", [name for name in MAPS if name != "polyhedron"])
def test_moreau(name):
    """v = prox_{s h}(v) + s prox_{h* / s}(v / s), and the conjugate of the conjugate is the map."""
    h = MAPS[name]
    v = 2 * np.random.default_rng(0).normal(size=(10, N))
    step = np.linspace(0.2, 3, 10)
    dual = pm.Conjugate(h).prox(v / step[:, None], 1 / step)
    np.testing.assert_allclose(h.prox(v, step) + step[:, None] * dual, v, atol=1e-12)
    np.testing.assert_allclose(pm.Conjugate(pm.Conjugate(h)).prox(v, step), h.prox(v, step), atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_firmly_nonexpansive(name):
    """||p - q||^2 <= <p - q, v - w>."""
    h = MAPS[name]
    rng = np.random.default_rng(2)
    v, w = 3 * rng.normal(size=(2, 50, N))
    between = h.prox(v, 0.8) - h.prox(w, 0.8)
    product = (between * (v - w)).sum(axis=-1)
    assert np.all((between**2).sum(axis=-1) <= product + 1e-9)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections_stay_where_they_are(name):
    h = PROJECTIONS[name]
    v = 3 * np.random.default_rng(3).normal(size=(30, N))
    p = h.project(v)
    np.testing.assert_allclose(h.project(p), p, atol=1e-12)
    np.testing.assert_allclose(h.prox(v, 1e-3), p, atol=0)
    assert np.all(h.violation(p) <= 1e-12)
    outside = np.linalg.norm(v - p, axis=-1) > 1e-6
    assert np.all(h.violation(v)[outside] > 1e-9)
    assert np.all(np.isinf(h.value(v)[outside]))
    assert np.all(h.value(p) == 0)


@pytest.mark.parametrize("name", MAPS)
def test_libraries_precisions_and_batches_agree(name):
    h = MAPS[name]
    rng = np.random.default_rng(4)
    v, step = 2 * rng.normal(size=(3, 4, N)), rng.uniform(0.1, 2, size=(3, 4))
    p = h.prox(v, step)
    one = np.stack([h.prox(v[i, j], float(step[i, j])) for i in range(3) for j in range(4)])
    np.testing.assert_allclose(p.reshape(-1, N), one, atol=1e-13)
    exact = 1e-9 if name == "polyhedron" else 1e-13
    tensor = h.prox(torch.tensor(v), torch.tensor(step))
    np.testing.assert_allclose(tensor.numpy(), p, atol=exact)
    np.testing.assert_allclose(h.prox(torch.tensor(v), step).numpy(), p, atol=exact)
    for single in (v.astype(np.float32), torch.tensor(v, dtype=torch.float32)):
        for s in (step, step.astype(np.float32)):
            near = h.prox(single, s)
            assert near.dtype == single.dtype
            np.testing.assert_allclose(np.asarray(near), p, atol=2e-5)
        assert h.value(near).dtype == single.dtype
        assert np.all(np.isfinite(np.asarray(h.value(near))))
    np.testing.assert_allclose(h.value(torch.tensor(p)).numpy(), h.value(p), rtol=1e-12, atol=1e-12)
    assert h.value(p).shape == (3, 4)


@pytest.mark.parametrize("name", MAPS)
def test_edges(name):
    """Zeros, ties, an empty batch, NaN, integers, a transposed array."""
    h = MAPS[name]
    for v in (np.zeros(N), np.ones(N), -np.ones(N), np.full(N, 1e-300), np.arange(N), np.ones((N, N)).T[::2]):
        p = h.prox(v, 1.0)
        assert p.dtype == float
        assert np.all(np.isfinite(p))
        np.testing.assert_allclose(h.prox(torch.as_tensor(np.array(v)), 1.0).numpy(), p, atol=1e-9)
    assert h.prox(np.zeros((0, N)), 1.0).shape == (0, N)
    assert h.prox(torch.zeros((2, 0, N)), 1.0).shape == (2, 0, N)
    bad = np.ones(N)
    bad[0] = np.nan
    if name not in ("point box", "empty simplex", "psd cone", "polyhedron"):
        assert np.isnan(h.prox(bad, 1.0)).any() or np.isnan(h.value(bad))


@pytest.mark.parametrize("name", MAPS)
def test_torch_differentiates_through(name):
    """Away from ties the derivative is the true one, both directions; at the origin it is finite."""
    h = MAPS[name]
    v = torch.tensor(2 * np.random.default_rng(6).normal(size=(2, N)), requires_grad=True)
    step = torch.tensor([0.4, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, s: h.prox(v, s), (v, step), check_forward_ad=True)
    _, back = torch.func.vjp(lambda v: h.prox(v, 1.0), torch.zeros(N, dtype=torch.float64))
    assert torch.isfinite(back(torch.ones(N, dtype=torch.float64))[0]).all()


@pytest.mark.parametrize("name", EACH)
def test_a_step_for_each_coordinate(name):
    """Like n maps of one coordinate each, found by a scalar minimizer."""
    h = MAPS[name]
    rng = np.random.default_rng(8)
    v, steps = 2 * rng.normal(size=N), rng.uniform(0.2, 2, size=N)
    p = h.prox_each(v, steps)
    same = h.prox_each(np.stack([v, v]), np.full((2, N), 0.7))
    np.testing.assert_allclose(same[0], h.prox(v, 0.7), atol=1e-13)

    def merit(u):
        return float(h.value(u)) + np.sum((u - v) ** 2 / (2 * steps))

    best = merit(p)
    for change in 1e-3 * rng.normal(size=(200, N)) * rng.integers(0, 2, size=(200, N)):
        assert merit(p + change) >= best - 1e-12


def test_maps_that_couple_coordinates_refuse_a_step_for_each():
    with pytest.raises(NotImplementedError, match="Simplex"):
        pm.Simplex(1.0).prox_each(np.ones(3), np.ones(3))


def test_digests_tell_maps_apart():
    digests = [h.digest() for h in MAPS.values()]
    assert len(set(digests)) == len(digests)
    assert pm.Box(0, np.ones(2)) == pm.Box(0.0, [1, 1]) != pm.Box(0, 2)
    for h in MAPS.values():
        again = pickle.loads(pickle.dumps(h))
        assert again == h
        np.testing.assert_array_equal(again.prox(np.ones(N), 1.0), h.prox(np.ones(N), 1.0))


@pytest.mark.parametrize(
    "simple",
    [
        sets.Free(),
        sets.Box(0, np.linspace(0, 1, N)),
        sets.Ball(np.ones(N), 0.5),
        sets.Simplex(1.5, N),
        sets.Affine(DEPENDENT, DEPENDENT @ INSIDE),
        sets.Polyhedron(A, A @ INSIDE - 0.1, A @ INSIDE + 0.2),
        sets.Product([(slice(0, 4), sets.Simplex(1.0, 4)), (slice(5, 8), sets.Box(0, 1))]),
    ],
    ids=lambda simple: type(simple).__name__,
)
def test_sets_of_problem_files(simple):
    h = pm.of_set(simple)
    for v in 2 * np.random.default_rng(9).normal(size=(5, N)):
        np.testing.assert_allclose(h.prox(v, 3.0), simple.project(v), atol=1e-9)


def test_a_large_sparse_affine_set_keeps_a_factorization():
    n = 30_000
    rows = csr_array((np.tile([1.0, -1.0], n // 2), (np.repeat(np.arange(n // 2), 2), np.arange(n))))
    h = pm.Affine(rows, np.ones(n // 2))
    v = np.random.default_rng(0).normal(size=(2, n))
    p = h.prox(v, 1.0)
    mean = v.reshape(2, -1, 2).mean(axis=-1)
    np.testing.assert_allclose(p.reshape(2, -1, 2), np.stack([mean + 0.5, mean - 0.5], axis=-1), atol=1e-10)
    assert np.all(h.value(p) == 0)
    np.testing.assert_allclose(h.prox(torch.tensor(v), 1.0).numpy(), p, atol=1e-12)
    change = torch.func.jvp(lambda v: h.project(v), (torch.tensor(v),), (torch.tensor(v),))[1]
    np.testing.assert_allclose(change, p - h.project(0 * v), atol=1e-10)


def test_polyhedra_have_whole_jacobians():
    """Rank of the face, symmetric, the same by rows and by columns, batched or not; other sets refuse."""
    h = MAPS["polyhedron"]
    v = torch.tensor(2 * np.random.default_rng(6).normal(size=(2, N)))
    by_row, by_column = torch.func.jacrev(h.project)(v[0]), torch.func.jacfwd(h.project)(v[0])
    np.testing.assert_allclose(by_row, by_column, atol=1e-12)
    np.testing.assert_allclose(by_row @ by_row, by_row, atol=1e-12)
    both = torch.func.vmap(torch.func.jacrev(h.project))(v)
    np.testing.assert_allclose(both[0], by_row, atol=1e-12)

    class Line(sets.SimpleSet):
        """A third party's set."""

        project = staticmethod(lambda v: np.full_like(v, v.mean()))
        violation = staticmethod(lambda v: float(np.ptp(v)))
        affine = staticmethod(lambda n: None)
        digest = staticmethod(lambda: "line")

    free = v.clone().requires_grad_()
    mean = pm.of_set(Line()).project(free)
    np.testing.assert_allclose(mean.detach(), v.mean(dim=-1, keepdim=True).expand_as(v))
    with pytest.raises(NotImplementedError, match="cannot differentiate"):
        mean.sum().backward()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: pm.Box(1, 0), "lower <= upper"),
        (lambda: pm.Box(np.nan, 0), "lower <= upper"),
        (lambda: pm.Box(np.inf, np.inf), "lower < inf"),
        (lambda: pm.Simplex(-1), "total >= 0"),
        (lambda: pm.Simplex().prox(np.zeros(0), 1.0), "length 1"),
        (lambda: pm.L1Ball(np.inf), "radius"),
        (lambda: pm.L2Ball(-1), "radius"),
        (lambda: pm.LInfBall(np.nan), "radius"),
        (lambda: pm.L1(-1), "weights"),
        (lambda: pm.L2(np.inf), "weights"),
        (lambda: pm.GroupL2([[0, 1], [1]]), "twice"),
        (lambda: pm.GroupL2([[]]), "at least one"),
        (lambda: pm.GroupL2([[7]]).prox(np.zeros(3), 1.0), "length 3"),
        (lambda: pm.PSDCone().prox(np.zeros(3), 1.0), "d\\^2"),
        (lambda: pm.Affine([[1.0, 1.0], [1.0, 1.0]], [0.0, 1.0]), "no solution"),
        (lambda: pm.Halfspace(np.zeros(2), 1.0), "not zero"),
        (lambda: pm.Halfspace(np.ones(2), 0.0, 1.0), "lower <= upper"),
        (lambda: pm.Product([(slice(0, 2), pm.Free()), (slice(1, 3), pm.Free())]), "overlap"),
        (lambda: pm.Product([(slice(0, 9), pm.Free())]).prox(np.zeros(3), 1.0), "length 3"),
        (lambda: pm.Scaled(pm.Free(), 0.0), "weight > 0"),
        (lambda: pm.Scaled(pm.Free(), 1.0, 0.0), "argument"),
        (lambda: pm.EntropySimplex(0.0), "total > 0"),
    ],
)
def test_what_is_ill_defined_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_mirror_steps():
    """Against a general minimizer, far out, and with entries at zero."""
    simplex = pm.EntropySimplex(2.0)
    rng = np.random.default_rng(0)
    u, g = rng.dirichlet(np.ones(5), size=3) * 2, rng.normal(size=(3, 5))
    step = np.array([0.3, 1.0, 4.0])
    w = simplex.mirror(u, g, step)
    np.testing.assert_allclose(simplex.mirror(torch.tensor(u), torch.tensor(g), step).numpy(), w, atol=1e-15)
    for i in range(3):
        found = minimize(
            lambda z, i=i: g[i] @ z + float(simplex.divergence(z, u[i])) / step[i],
            u[i],
            bounds=[(1e-12, None)] * 5,
            constraints={"type": "eq", "fun": lambda z: z.sum() - 2},
            tol=1e-12,
        )
        np.testing.assert_allclose(w[i], found.x, atol=1e-5)
    assert np.all(2 * 2 * simplex.divergence(w, u) >= np.abs(w - u).sum(axis=-1) ** 2)
    far = simplex.mirror(u[0], np.array([1e300, -1e300, 0, 0, 0]), 1.0)
    np.testing.assert_array_equal(far, [0, 2, 0, 0, 0])
    assert simplex.mirror(np.array([0.0, 1.0, 1.0]), np.array([-9.0, 0.0, 1.0]), 1.0)[0] == 0
    assert np.isinf(simplex.divergence(np.array([1.0, 1.0]), np.array([0.0, 2.0])))
    assert simplex.divergence(np.array([0.0, 2.0]), np.array([1.0, 1.0])) == pytest.approx(2 * np.log(2))
    assert simplex.value(np.array([0.0, 2.0])) == pytest.approx(2 * np.log(2))
