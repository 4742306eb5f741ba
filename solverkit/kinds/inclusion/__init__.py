"""Monotone inclusions 0 in F(u) + G(u): games, saddle points, variational inequalities, linear programs."""
