"""AMPL's .nl files, which Pyomo and other modelling languages write: text form, continuous variables."""
