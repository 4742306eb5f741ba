"""What is done to a problem before it is iterated on, each with the map back: centring and scaling."""
