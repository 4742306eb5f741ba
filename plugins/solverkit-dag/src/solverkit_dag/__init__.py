"""Structure learning of directed acyclic graphs by searching orders."""
