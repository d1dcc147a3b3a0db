"""Stationary states out of equilibrium: biases of reservoirs, linear responses to them, and the gap in them."""
