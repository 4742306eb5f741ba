"""How components are drawn and evaluated, and whether drawing them pays."""
