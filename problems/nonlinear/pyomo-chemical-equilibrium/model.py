"""The equilibrium of ten compounds in the combustion of hydrazine with oxygen: least free energy at given elements."""

import pyomo.environ as pyo

ENERGY = {
    "H": -6.089,
    "H2": -17.164,
    "H2O": -34.054,
    "N": -5.914,
    "N2": -24.721,
    "NH": -14.986,
    "NO": -24.100,
    "O": -10.708,
    "O2": -26.662,
    "OH": -22.179,
}
ATOMS = {
    "hydrogen": {"H": 1, "H2": 2, "H2O": 2, "NH": 1, "OH": 1},
    "nitrogen": {"N": 1, "N2": 2, "NH": 1, "NO": 1},
    "oxygen": {"H2O": 1, "NO": 1, "O": 1, "O2": 2, "OH": 1},
}
AMOUNT = {"hydrogen": 2.0, "nitrogen": 1.0, "oxygen": 1.0}


def build() -> pyo.ConcreteModel:
    """Moles of ten compounds under three balances."""
    model = pyo.ConcreteModel("chemical-equilibrium")
    model.compound = pyo.Set(initialize=list(ENERGY))
    model.element = pyo.Set(initialize=list(ATOMS))
    model.moles = pyo.Var(model.compound, bounds=(1e-6, None), initialize=0.1)
    model.total = pyo.Expression(expr=sum(model.moles[c] for c in model.compound))
    model.free_energy = pyo.Objective(
        expr=sum(model.moles[c] * (ENERGY[c] + pyo.log(model.moles[c] / model.total)) for c in model.compound)
    )
    model.balance = pyo.Constraint(
        model.element,
        rule=lambda model, e: sum(count * model.moles[c] for c, count in ATOMS[e].items()) == AMOUNT[e],
    )
    return model
