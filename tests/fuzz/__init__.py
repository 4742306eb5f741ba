"""Mutated files of every format: each is read or refused with its place, and nothing else happens.

`make fuzz MINUTES=5` tries fresh ones for so long; the bars R4, R5 and R6 of `tests.soak` try a fixed number.
"""
