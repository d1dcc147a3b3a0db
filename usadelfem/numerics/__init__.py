"""Numerics without physics: linear solvers, Newton's method, accelerations, sparse matrices."""
