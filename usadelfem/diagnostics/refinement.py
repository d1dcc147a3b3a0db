"""Devices on finer meshes: names, contacts and nodal coefficients go along; and where refinement pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray

from ..device.coefficient import RULES
from ..device.device import Device
from ..device.material import COEFFICIENTS, Material
from ..fem.conduction import physical_gradients
from ..fem.problem import Problem
from ..physics import columns as column
from ..space.locate import locate
from ..space.recover import recover
from ..space.space import Index, Real, basis_values, build_space

Complex = NDArray[np.complex128]

ADAPTIVE = (skfem.MeshLine1, skfem.MeshTri1, skfem.MeshTet1)
ON_FACET = 1e-6  # distance from a facet, in units of the reference cell


def refined_device(device: Device, marked: Index | None = None) -> Device:
    """The device on a mesh whose `marked` cells (None: all) are divided, and others as far as the mesh has to conform.

    Regions, facet sets (inner ones too), contacts and interfaces keep their names; coefficients given as arrays over
    the vertices are interpolated.
    """
    mesh = device.mesh
    bare = type(mesh)(mesh.p, mesh.t)
    finer = bare.refined() if marked is None else bare.refined(np.unique(marked))
    finer = type(mesh)(finer.p, finer.t)
    space = build_space(bare, 1)
    parent = locate(space, finer.p[:, finer.t].mean(axis=1)).cells
    local = np.array(
        space.basis.mapping.invF(finer.p[:, finer.t].transpose(0, 2, 1), tind=parent)
    )  # dim, cells, corners
    regions = np.full(mesh.nelements, -1)
    names = list(mesh.subdomains)
    own = {}
    for name in names:
        regions[:] = 0
        regions[mesh.subdomains[name]] = 1
        own[name] = np.flatnonzero(regions[parent]).astype(np.int64)
    lies_on = _old_facets(mesh, finer, parent, local)
    sets = {}
    for name, facets in (mesh.boundaries or {}).items():
        chosen = np.zeros(mesh.facets.shape[1] + 1, bool)
        chosen[np.asarray(facets, np.int64)] = True
        sets[name] = np.flatnonzero(chosen[lies_on]).astype(np.int64)
    finer = replace(finer, _subdomains=own, _boundaries=sets)
    weights = basis_values(mesh.elem(), local)  # old corners, cells, corners

    def prolonged(name: str, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.ndim == len(RULES[name].shape):
            return value
        at_corners = np.einsum("...vc,vcn->...cn", value[..., mesh.t[:, parent]], weights)
        out = np.zeros((*value.shape[:-1], finer.nvertices), value.dtype)
        out[..., finer.t.T.ravel()] = at_corners.reshape(*value.shape[:-1], -1)
        return out

    materials = {
        name: material.with_values({key: prolonged(key, getattr(material, key)) for key in COEFFICIENTS})
        if isinstance(material, Material)
        else material
        for name, material in device.materials.items()
    }
    return replace(device, mesh=finer, materials=materials, A=prolonged("A", device.A))


def _old_facets(mesh: Any, finer: Any, parent: Index, local: Real) -> Index:
    """The facet of the old mesh that each facet of the finer one lies on, -1 if none."""
    reference = mesh.refdom
    corners = np.array(reference.p).T
    found = np.full(finer.facets.shape[1], -1, np.int64)
    for own in range(len(reference.facets)):
        points = local[:, :, list(reference.facets[own])]
        for old in range(len(reference.facets)):
            start, *others = corners[list(reference.facets[old])]
            edges = np.array(others) - start if others else np.zeros((0, len(start)))
            normal = (
                np.linalg.svd(np.vstack([edges, np.zeros((1, len(start)))]))[2][-1] if len(start) > 1 else np.ones(1)
            )
            height = np.einsum("d,dcn->cn", normal, points - start[:, None, None])
            on = abs(height).max(axis=1) < ON_FACET
            found[finer.t2f[own, on]] = mesh.t2f[old, parent[on]]
    return found


def original_device(device: Device, problem: Problem, paired: Index | None) -> Device:
    """A solved device with the gaps that were found taken out again; `paired` are the cells where they were unknown."""
    if paired is None:
        return device
    unknown = np.zeros(problem.space.mesh.nelements, bool)
    unknown[paired] = True
    materials = {
        name: replace(material, gap=None) if unknown[problem.space.mesh.subdomains[name]].any() else material
        for name, material in device.conductors.items()
    }
    return replace(device, materials={**device.materials, **materials})


def gradient_errors(problem: Problem, weights: Sequence[float], states: Sequence[Complex]) -> Real:
    """Squares of the errors of the gradients of states, weighted and summed, by cell; shape (cells,).

    The error of a gradient is its distance from its own L2 projection onto continuous functions, region by region
    (Zienkiewicz and Zhu, Int. J. Numer. Methods Eng. 24, 337 (1987)), in the norm of N0 D.
    """
    space, table = problem.space, problem.coefficients.table
    slopes, total = physical_gradients(space), np.zeros(len(space.cells))
    stiffness = table[..., column.N0] * table[..., column.D] * space.dx
    for weight, state in zip(weights, states, strict=True):
        raw = np.einsum("cqik,cie->kecq", slopes, state[space.cells])
        smooth = np.einsum("keci,qi->kecq", recover(space, raw, tuple(space.mesh.subdomains)).values, space.phi)
        total += weight * np.einsum("kecq,cq->c", abs(raw - smooth) ** 2, stiffness)
    return total
