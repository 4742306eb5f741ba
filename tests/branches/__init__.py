"""Branch coverage of the code that decides: certificates, the expression language, readers, checkpoints.

`make coverage` runs the tests of each area and prints every branch that none of them takes.
"""
