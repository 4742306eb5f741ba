"""Compiled loops over components of bilinear problems on simplices and boxes."""
