"""Meshes for the tests of applied and induced fields."""

from __future__ import annotations

import numpy as np
import skfem


def ring(inner, layers, around, cell="triangle", shift=(0.0, 0.0)):
    """A ring inner < r < 1, of quadrilaterals or of these cut along their diagonals."""
    r, phi = np.meshgrid(np.linspace(inner, 1, layers + 1), np.arange(around) * 2 * np.pi / around, indexing="ij")
    number = np.arange(r.size).reshape(r.shape)
    following = np.roll(number, -1, axis=1)
    cells = np.array([number[:-1], number[1:], following[1:], following[:-1]]).reshape(4, -1)
    mesh = skfem.MeshQuad1(np.array([r * np.cos(phi), r * np.sin(phi)]).reshape(2, -1), cells).translated(shift)
    return mesh if cell == "quad" else mesh.to_meshtri(style="x")


def both_ends(mesh):
    return np.concatenate([mesh.boundaries["left"], mesh.boundaries["right"]])
