"""`mlp`: the first better order, with only the networks between the two positions retrained.

    x_u ~ sum_h b_h sigma(sum_i A_hi x_i),   score = (1/2n) |X - f(X)|^2 + l1 |A|_1 + (l2 / 2) (|A|^2 + |b|^2)

One network for each variable; first-layer weights of variables that do not come before it are zero. W_iu is the norm
of (A_hi)_h in the network of u. Networks train by L-BFGS on A = P - N with P, N >= 0, so that the l1 term is smooth and
its zeros are exact, from the weights of the present order (inputs that have none yet, from seeded random ones); the
arithmetic is torch's, on the CPU or a device.

One step scores swaps, most promising first by the closed form for least squares, and takes the first that is better, as
the loop of the paper for nonlinear models does. Where none of the `tried` most promising is, the chain settles.

| here | paper | meaning |
|---|---|---|
| hidden | A | (d, h, d): variable, hidden unit, input |
| output | b | (d, h) |
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from solverkit.kinds.dag.problem import HIDDEN, OUTPUT, Dag
from solverkit.kinds.dag.scores import samples
from solverkit_dag.kernels.factor import factor
from solverkit_dag.kernels.moves import mask_swaps
from solverkit_dag.kernels.neighbourhood import swaps
from solverkit_dag.precedence import Precedence
from solverkit_dag.ridge import conditioned
from solverkit_dag.search.base import Chain, Search

SLACK = 1e-6  # of the score: networks are trained to a gradient, not to rounding
ITERATIONS = 5000
SEED = 0  # of first weights: the score of an order must not depend on the run


class Networks(Search):
    """For the score `mlp`."""

    parallel = False

    def __init__(self, problem: Dag, precedence: Precedence, tried: int, device: str) -> None:
        import torch

        self.gram, self.before = conditioned(problem.gram, None), precedence.before
        self.allowed, self.tried = ~problem.known.forbidden, tried
        self.d, self.units, self.l1, self.l2 = problem.d, problem.hidden, problem.l1, problem.l2
        rng = np.random.default_rng(SEED)
        first = rng.normal(size=(self.d, self.units, self.d)) / np.sqrt(self.d)
        self.drawn = (first, rng.normal(size=(self.d, self.units)) / np.sqrt(self.units))
        self.X = torch.as_tensor(samples(problem), dtype=torch.float64, device=device)

    def begin(self, order: np.ndarray) -> Chain:
        """All networks trained from seeded random weights."""
        hidden, output = np.zeros((self.d, self.units, self.d)), self.drawn[1].copy()
        chain = Chain(order.copy(), np.zeros((self.d, self.d)), np.inf)
        values = np.zeros(self.d)
        self._train(order, range(self.d), hidden, output, values)
        self._keep(chain, hidden, output, values)
        return chain

    def advance(self, chain: Chain) -> int:
        """Swaps until the first that is better."""
        change = swaps(factor(self.gram, chain.order)[0])
        mask_swaps(change, chain.order, self.before)
        firsts, lasts = np.nonzero(np.triu(np.isfinite(change), 1))
        ranking = np.argsort(change[firsts, lasts], kind="stable")[: self.tried]
        trained = 0
        for a, b in zip(firsts[ranking], lasts[ranking], strict=True):
            order = chain.order.copy()
            order[[a, b]] = order[[b, a]]
            hidden, output = chain.blocks[HIDDEN].copy(), chain.blocks[OUTPUT].copy()
            values = chain.parts.copy()
            self._train(order, range(a, b + 1), hidden, output, values)
            trained += int(b - a) + 1
            if values.sum() < chain.score * (1 - SLACK):
                chain.order, chain.moves = order, chain.moves + 1
                self._keep(chain, hidden, output, values)
                return trained
        chain.settled = chain.optimal = True
        return trained

    def _keep(self, chain: Chain, hidden: np.ndarray, output: np.ndarray, values: np.ndarray) -> None:
        chain.blocks = {HIDDEN: hidden, OUTPUT: output}
        chain.parts, chain.score = values, float(values.sum())
        chain.W = np.sqrt((hidden**2).sum(axis=1)).T.copy()

    def _train(
        self, order: np.ndarray, places: range, hidden: np.ndarray, output: np.ndarray, values: np.ndarray
    ) -> None:
        """The networks at `places` of an order, in place, and their scores."""
        for place in places:
            u = int(order[place])
            parents = np.sort(order[:place])
            parents = parents[self.allowed[parents, u]]
            first, second = hidden[u][:, parents], output[u]
            fresh = ~first.any(axis=0)
            first[:, fresh] = self.drawn[0][u][:, parents[fresh]]
            first, second, values[u] = self._fit(u, parents, first, second)
            hidden[u], output[u] = 0.0, second
            hidden[u][:, parents] = first

    def _fit(
        self, u: int, parents: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """One network: (A over `parents`, b, score). Without parents f is a constant: b times sigma(0)."""
        inputs, target = self.X[:, parents], self.X[:, u]
        size, shape = first.size, first.shape
        n = len(target)

        def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
            import torch

            both = torch.as_tensor(flat, device=inputs.device)
            A, b = (both[:size] - both[size : 2 * size]).reshape(shape), both[2 * size :]
            Z = torch.sigmoid(inputs @ A.T)
            error = Z @ b - target
            fit = 0.5 * (error @ error) / n + self.l1 * both[: 2 * size].sum()
            total = fit + 0.5 * self.l2 * ((A * A).sum() + b @ b)
            slope_b = Z.T @ error / n + self.l2 * b
            slope_A = ((error[:, None] * b * Z * (1 - Z)).T @ inputs / n + self.l2 * A).reshape(-1)
            slope = torch.cat([slope_A + self.l1, self.l1 - slope_A, slope_b])
            return float(total), slope.cpu().numpy()

        start = np.concatenate([np.maximum(first.ravel(), 0), np.maximum(-first.ravel(), 0), second])
        bounds = [(0, None)] * (2 * size) + [(None, None)] * len(second)
        limits = {"maxiter": ITERATIONS, "maxfun": 4 * ITERATIONS, "ftol": 0.0, "gtol": 1e-6, "maxcor": 20}
        found = minimize(value, start, jac=True, method="L-BFGS-B", bounds=bounds, options=limits)
        A = found.x[:size] - found.x[size : 2 * size]
        return A.reshape(shape), found.x[2 * size :], float(found.fun)
