"""Reflected restarted Halpern PDHG for bilinear saddle points: games, linear programs, and products of simple sets."""
