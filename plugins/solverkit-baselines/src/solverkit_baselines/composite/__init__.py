"""Peers for composite problems: CVXPY with Clarabel and with SCS."""
