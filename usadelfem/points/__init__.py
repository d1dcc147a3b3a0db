"""Spectral points: Matsubara frequencies and energies, their sums, and who solves them."""
