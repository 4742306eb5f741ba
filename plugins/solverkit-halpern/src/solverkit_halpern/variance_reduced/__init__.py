"""Variance-reduced Halpern iteration (Cai, Alacaoglu, Diakonikolas, ICLR 2024)."""
