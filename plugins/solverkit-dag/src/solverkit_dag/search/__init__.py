"""Searches over orders: what one step of each does to one order."""
