"""The space that kernels work in, since compiled code allocates nothing itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..physics.variations import ROWS

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class PointSpace(NamedTuple):
    """What is computed at one quadrature point; n stored entries of a spin matrix.

    Attributes
    ----------
    grad
        Gradients of the basis functions (nodes, dim).
    dz, none
        Covariant derivatives of a and b (2, dim, n), and zeros (dim, n).
    flux, rows
        Scratch space of `functional.evaluate`.
    h00, hk0, hkk, hkl
        Blocks of the Hessian (n, 2n), hk0 for every axis and hkl for every pair of axes.
    """

    grad: Real
    dz: Complex
    none: Complex
    flux: Complex
    rows: Complex
    h00: Complex
    hk0: Complex
    hkk: Complex
    hkl: Complex


class TangentSpace(NamedTuple):
    """What is computed of the tangent of a cell, from Hessian blocks with columns of two partners.

    Attributes
    ----------
    h00, h0k, hk0, hkk, hkl
        Hessian blocks at a point, h0k the transposed ones of hk0.
    flat00, flat0k, flatk0, flatkk, flatkl
        The same numbers as real ones in rows.
    maps
        The linear maps of the gauge fields (dim, 2n, 2n).
    work
        Scratch space of the contraction.
    blocks, flat
        Blocks of all pairs of nodes (pairs, rows, 2n), and as real numbers.
    """

    h00: Complex
    h0k: Complex
    hk0: Complex
    hkk: Complex
    hkl: Complex
    flat00: Real
    flat0k: Real
    flatk0: Real
    flatkk: Real
    flatkl: Real
    maps: Complex
    work: Real
    blocks: Complex
    flat: Real


class JunctionSpace(NamedTuple):
    """What is computed at one quadrature point of an interface.

    Attributes
    ----------
    h11, h12, h22, h21
        Second variations of the sides with each other (n, 2n).
    blocks
        The same for all unknowns of a node (3, 2n, 2n), real on the Matsubara manifold.
    z
        Unknowns of both sides (2, 2n).
    """

    h11: Complex
    h12: Complex
    h22: Complex
    h21: Complex
    blocks: NDArray[Any]
    z: Complex


def point_space(n: int, dim: int, nodes: int) -> PointSpace:
    """Space for matrices of n entries in cells with so many nodes."""
    return PointSpace(
        np.zeros((nodes, dim)), _zeros(2, dim, n), _zeros(dim, n), _zeros(dim, n), _zeros(ROWS, dim, n),
        _zeros(n, 2 * n), _zeros(dim, n, 2 * n), _zeros(n, 2 * n), _zeros(dim * (dim - 1) // 2, n, 2 * n),
    )  # fmt: skip


def tangent_space(h00: Complex, hk0: Complex, hkk: Complex, hkl: Complex, nodes: int) -> TangentSpace:
    """Space around the Hessian blocks at a point, which stay where they are."""
    h0k, maps = np.zeros_like(hk0), _zeros(len(hk0), h00.shape[1], h00.shape[1])
    blocks = _zeros(nodes * (nodes + 1) // 2, *h00.shape)
    work = np.zeros((1 + len(hk0), 2 * h00.size))
    return TangentSpace(
        h00, h0k, hk0, hkk, hkl, _flat(h00), _flat(h0k), _flat(hk0), _flat(hkk), _flat(hkl), maps, work, blocks,
        _flat(blocks),
    )  # fmt: skip


def whole_tangent_space(n: int, dim: int, nodes: int) -> TangentSpace:
    """Space of its own, for a and b as unknowns of their own."""
    size = 2 * n, 2 * n
    return tangent_space(_zeros(*size), _zeros(dim, *size), _zeros(*size), _zeros(dim * (dim - 1) // 2, *size), nodes)


def junction_space(n: int, number: type) -> JunctionSpace:
    """Space for matrices of n entries, with tangents of a type of number."""
    h11, h12, h22, h21 = _zeros(n, 2 * n), _zeros(n, 2 * n), _zeros(n, 2 * n), _zeros(n, 2 * n)
    return JunctionSpace(h11, h12, h22, h21, np.zeros((3, 2 * n, 2 * n), number), _zeros(2, 2 * n))


def _zeros(*shape: int) -> Complex:
    return np.zeros(shape, complex)


def _flat(blocks: Complex) -> Real:
    """The last two axes as real numbers in a row."""
    return blocks.reshape(*blocks.shape[:-2], blocks.shape[-2] * blocks.shape[-1]).view(float)
