"""Every method that is installed, with a small problem that it takes: what tests of all methods run over."""
