"""Structure learning of directed acyclic graphs."""
