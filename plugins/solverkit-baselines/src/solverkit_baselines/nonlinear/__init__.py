"""Peers for the kind `nonlinear`."""
