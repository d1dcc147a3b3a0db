"""Algorithms: linear solvers, Newton's method, continuation; and the solves made of them."""
