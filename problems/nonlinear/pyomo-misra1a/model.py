"""Fit the volume of monomolecular adsorption: NIST's data set Misra1a, with a variable for each residual."""

import pyomo.environ as pyo

PRESSURE = (77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0)
VOLUME = (10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78)


def build() -> pyo.ConcreteModel:
    """Least squares for volume = b1 (1 - exp(-b2 pressure)), from NIST's second start."""
    model = pyo.ConcreteModel("misra1a")
    model.observation = pyo.RangeSet(0, len(PRESSURE) - 1)
    model.b1 = pyo.Var(initialize=250.0)
    model.b2 = pyo.Var(initialize=0.0005)
    model.residual = pyo.Var(model.observation, initialize=0.0)
    model.squares = pyo.Objective(expr=sum(model.residual[i] ** 2 for i in model.observation))
    model.fit = pyo.Constraint(
        model.observation,
        rule=lambda model, i: model.residual[i] == VOLUME[i] - model.b1 * (1 - pyo.exp(-model.b2 * PRESSURE[i])),
    )
    return model
