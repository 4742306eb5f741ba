"""The generated sequences against slow, obvious versions of what they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import cg, spsolve

from solverkit_sor.generators.grid import bump, laplacian, points, weighted_laplacian
from solverkit_sor.generators.heat import conductivity, heat, heat_heterogeneous
from solverkit_sor.generators.mesh import assemble, gradients, mesh_heat, triangulate
from solverkit_sor.generators.newton import _Energy, newton_p_laplace
from solverkit_sor.generators.shifted import shifted_laplacian


def test_the_laplacian_by_its_neighbours():
    m = 4
    L = laplacian(m).toarray()
    for k in range(m * m):
        row = np.zeros((m, m))
        i, j = divmod(k, m)
        row[i, j] = 4
        for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= a < m and 0 <= b < m:
                row[a, b] = -1
        assert np.array_equal(L[k], row.ravel())


def test_the_weighted_laplacian_by_its_fluxes():
    k = np.random.default_rng(0).uniform(0.1, 10.0, (5, 6))[:, :5]
    u = np.zeros((5, 5))
    u[1:-1, 1:-1] = np.random.default_rng(1).standard_normal((3, 3))
    out = np.zeros((5, 5))
    for i in range(1, 4):
        for j in range(1, 4):
            for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                out[i, j] += 2 / (1 / k[i, j] + 1 / k[a, b]) * (u[i, j] - u[a, b])
    assert weighted_laplacian(k) @ u[1:-1, 1:-1].ravel() == pytest.approx(out[1:-1, 1:-1].ravel())
    assert abs(weighted_laplacian(np.ones((6, 6))) - laplacian(4)).max() == 0


def test_the_law_of_the_shifts_and_of_the_right_hand_sides():
    made = shifted_laplacian(T=20_000, seed=3)
    shifts, B = made["shifts"], made["B"]
    assert shifts.min() >= -0.15
    assert shifts.max() <= 0.45
    assert shifts.mean() == pytest.approx(0.0, abs=0.005)
    assert shifts.var() == pytest.approx(0.36 * 0.25 * 0.75 / 3, rel=0.03)  # span^2 ab / ((a + b)^2 (a + b + 1))
    assert (np.einsum("tn,tn->t", B, B) <= 100).all()
    assert abs(B.mean()) < 0.005
    assert np.linalg.eigvalsh(made["A"] - 0.15 * np.eye(100))[0] > 0


def test_a_bump():
    x = np.array([0.5, 0.6, 0.7499, 0.75, 0.9])
    expected = [1.0, np.exp(1 - 1 / (1 - 0.16)), np.exp(1 - 1 / (1 - (0.2499 / 0.25) ** 2)), 0.0, 0.0]
    assert bump(x, np.full(5, 0.5), (0.5, 0.5), 0.25) == pytest.approx(expected)


def test_heat_is_crank_nicolson_of_second_order():
    """The solution at t = 0.1 by steps of two lengths against very short ones, on a grid of 81 points."""

    def at_the_end(steps):
        made = heat(nx=10, T=steps, dt=0.1 / steps)
        u, one, L = made["initial"], np.eye(81), made["L"].toarray()
        for (c, a), (d, r), f in zip(made["coefficients"], made["previous_coefficients"], made["forcing"], strict=True):
            u = np.linalg.solve(c * one + a * L, (d * one + r * L) @ u + f)
        return u

    exact = at_the_end(1600)
    coarse, fine = (np.linalg.norm(at_the_end(steps) - exact) for steps in (100, 200))
    assert coarse / fine == pytest.approx(4.0, rel=0.25)


def test_heat_has_the_papers_coefficients():
    made = heat(nx=25, T=5, dt=1e-3)
    assert made["L"].shape == (576, 576)
    middle = 2.5e-3
    kappa = max(0.1 * np.sin(2 * np.pi * middle), -10 * np.sin(2 * np.pi * middle))
    assert made["diffusion"][2] == pytest.approx(kappa)
    assert made["coefficients"][2] == pytest.approx([1, kappa * 1e-3 * 625 / 2])
    assert made["previous_coefficients"][2] == pytest.approx([1, -kappa * 1e-3 * 625 / 2])
    x, y = points(24)
    angle = 16 * np.pi * middle
    source = bump(x, y, (0.5 + np.cos(angle) / 4, 0.5 + np.sin(angle) / 4), 0.125)
    assert made["forcing"][2] == pytest.approx(32e-3 * source)


def test_the_paper_heat_run_takes_the_known_iterations():
    """A tenth of a period: plain CG from the solution before, stopped at 1e-8 ||b||."""
    made = heat(nx=25, T=100, dt=1e-3)
    u, total = made["initial"], 0
    for (_, a), f in zip(made["coefficients"], made["forcing"], strict=True):
        count = []
        A, b = made["identity"] + a * made["L"], u - a * (made["L"] @ u) + f
        u, _ = cg(A, b, u, rtol=1e-8, callback=lambda _, count=count: count.append(1))
        total += len(count)
    assert total == sum(_plain_cg(made))


def _plain_cg(made):
    """Iterations of each step by the textbook recursion, dense."""
    u, L = made["initial"], made["L"].toarray()
    for (_, a), f in zip(made["coefficients"], made["forcing"], strict=True):
        A, b = np.eye(len(u)) + a * L, u - a * (L @ u) + f
        r = b - A @ u
        p, rho, count = r, r @ r, 0
        while rho**0.5 > 1e-8 * np.linalg.norm(b):
            q = A @ p
            step = rho / (p @ q)
            u, r = u + step * p, r - step * q
            rho, former = r @ r, rho
            p, count = r + rho / former * p, count + 1
        yield count


@pytest.mark.parametrize("contrast", [1.0, 1e2, 1e6])
def test_a_conductivity_spans_its_contrast(contrast):
    k = conductivity(20, contrast, 3.0, 0)
    assert k.max() / k.min() == pytest.approx(contrast)
    L = heat_heterogeneous(nx=20, T=2, contrast=contrast)["L"]
    assert abs(L - L.T).max() == 0
    assert np.linalg.eigvalsh(L.toarray())[0] > 0


def test_a_triangulation_covers_the_square_once():
    mesh = triangulate(12, np.random.default_rng(0))
    area, hats = gradients(mesh)
    assert area.min() > 0
    assert area.sum() == pytest.approx(1.0)
    assert mesh.n == 144
    assert hats.sum(axis=1) == pytest.approx(np.zeros((len(area), 2)), abs=1e-8)  # the hats add up to one


def test_elements_against_a_known_triangle():
    """Mass and stiffness of linear elements reproduce integrals of linear functions, away from the boundary."""
    mesh = triangulate(8, np.random.default_rng(1))
    M, K = assemble(mesh, np.ones(len(mesh.triangles)))
    x = mesh.points[mesh.inner >= 0][:, 0]
    deep = np.flatnonzero(np.abs(K) @ np.ones(mesh.n) > 0)
    touched = np.zeros(len(mesh.points), bool)
    outside = (mesh.inner[mesh.triangles] < 0).any(axis=1)
    touched[mesh.triangles[outside]] = True
    deep = mesh.inner[(mesh.inner >= 0) & ~touched]
    assert (K @ x)[deep] == pytest.approx(0.0, abs=1e-10)  # -div grad of a linear function
    area, _ = gradients(mesh)
    lumped = np.bincount(mesh.triangles.ravel(), np.repeat(area / 3, 3))[mesh.inner >= 0]
    assert (M @ np.ones(mesh.n))[deep] == pytest.approx(lumped[deep])


def test_finite_elements_converge_to_the_known_solution():
    """-div grad u = 2 pi^2 sin(pi x) sin(pi y) on two meshes: the error falls with the square of the spacing."""
    errors = []
    for m in (12, 24):
        mesh = triangulate(m, np.random.default_rng(2))
        M, K = assemble(mesh, np.ones(len(mesh.triangles)))
        x, y = mesh.points[mesh.inner >= 0].T
        exact = np.sin(np.pi * x) * np.sin(np.pi * y)
        errors.append(np.abs(spsolve(K.tocsc(), M @ (2 * np.pi**2 * exact)) - exact).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.4)


def test_mesh_heat_has_one_pattern_and_steps_that_grow():
    made = mesh_heat(points=144, T=5, dt=1e-3, growth=100.0)
    assert np.array_equal(made["M"].indices, made["K"].indices)
    assert made["log_dt"] == pytest.approx([-3, -2.5, -2, -1.5, -1])
    assert made["coefficients"][:, 1] == pytest.approx(10.0 ** made["log_dt"])


def test_newtons_systems_are_those_of_the_energy():
    energy = _Energy(triangulate(5, np.random.default_rng(0)), 1.5, 1e-2)
    u = np.random.default_rng(1).standard_normal(25) * 0.1
    gradient, hessian = energy.gradient(u, 3.0), energy.hessian(u).toarray()
    for i in range(25):
        nudge = np.zeros(25)
        nudge[i] = 1e-6
        slope = (energy.value(u + nudge, 3.0) - energy.value(u - nudge, 3.0)) / 2e-6
        bend = (energy.gradient(u + nudge, 3.0) - energy.gradient(u - nudge, 3.0)) / 2e-6
        assert slope == pytest.approx(gradient[i], abs=1e-7)
        assert bend == pytest.approx(hessian[:, i], abs=1e-5 * np.abs(hessian).max())


def test_newtons_method_converges_at_every_load():
    made = newton_p_laplace(points=64, loads=4)
    load, log_gradient = made["context"].T
    assert sorted(set(load)) == [2.5, 5.0, 7.5, 10.0]
    for value in set(load):
        assert log_gradient[load == value].min() < -1.5
    assert made["values"].shape == (len(load), made["pattern"].nnz)
