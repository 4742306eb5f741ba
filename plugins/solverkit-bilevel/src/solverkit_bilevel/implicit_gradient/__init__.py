"""`implicit-gradient`: descent of F(x, y*(x)) along the implicit hypergradient."""
