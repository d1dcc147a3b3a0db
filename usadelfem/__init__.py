"""Finite elements for the (generalised) Usadel equation of diffusive superconducting hybrids."""
