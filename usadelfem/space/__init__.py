"""Finite-element spaces on a mesh, and where points and sections lie in them."""
