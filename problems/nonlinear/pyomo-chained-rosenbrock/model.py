"""The chained Rosenbrock function under trigonometric and exponential equations."""

import pyomo.environ as pyo

N = 100


def build() -> pyo.ConcreteModel:
    """Problem 5.1 of Luksan and Vlcek with N variables and N - 2 equations."""
    model = pyo.ConcreteModel("chained-rosenbrock")
    model.i = pyo.RangeSet(N)
    model.k = pyo.RangeSet(N - 2)
    model.x = pyo.Var(model.i, initialize=lambda model, i: -1.2 if i % 2 else 1.0)
    x = model.x
    model.valley = pyo.Objective(
        expr=sum(100 * (x[i] ** 2 - x[i + 1]) ** 2 + (x[i] - 1) ** 2 for i in range(1, N)),
    )
    model.curve = pyo.Constraint(
        model.k,
        rule=lambda model, k: (
            3 * x[k + 1] ** 3
            + 2 * x[k + 2]
            - 5
            + pyo.sin(x[k + 1] - x[k + 2]) * pyo.sin(x[k + 1] + x[k + 2])
            + 4 * x[k + 1]
            - x[k] * pyo.exp(x[k] - x[k + 1])
            - 3
            == 0
        ),
    )
    return model
