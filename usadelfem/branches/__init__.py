"""Branches of solutions over a parameter, and the stability of each."""
