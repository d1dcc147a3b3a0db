"""Random solids: barriers, textures, spin-orbit coupling, fields, jumps of D and N0 by up to a thousand."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise

import fuzz
import numpy as np

import usadelfem as uf


def solid(seed: int) -> tuple[uf.Device, int]:
    """A random device of some hundred nodes, and the order of its elements."""
    rng = np.random.default_rng(seed)
    order = int(rng.integers(1, 3))
    kinds = rng.choice(["N", "F", "S"], size=rng.integers(1, 4), p=[0.35, 0.5, 0.15])
    layers = {f"{kind}{n}": rng.uniform(0.5, 1.5) for n, kind in enumerate(kinds)}
    cell = rng.choice(["tetrahedron", "hexahedron"])
    mesh = uf.box(layers, width=1.2, height=0.8, size=0.2 * order, cell=cell)
    materials = {name: fuzz.material(rng, 1.0, name[0]) for name in layers}
    for name, own in materials.items():
        change = {}
        if rng.random() < 0.3:  # jumps
            change["D"], change["N0"] = own.D * 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-3, 0)
        if name[0] == "F" and rng.random() < 0.5:
            size, turn = 10 ** rng.uniform(-0.5, 1), rng.uniform(1, 4)
            change["exchange"] = spiral(size, turn)
        materials[name] = replace(own, **change)
    contacts = {}
    for side in ("left", "right"):
        own = {"barrier": fuzz.barrier(rng)} if rng.random() < 0.4 else {}
        contacts[side] = uf.Reservoir(gap=rng.choice([1.0, 0.7]), phase=rng.uniform(-3, 3), **own)
    interfaces = {f"{one}_{two}": fuzz.barrier(rng) for one, two in pairwise(layers) if rng.random() < 0.4}
    field = {"A": tuple(rng.uniform(-0.5, 0.5, 3))} if rng.random() < 0.3 else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return uf.Device(mesh, materials, contacts, interfaces, **field), order


def spiral(size, turn):
    return lambda x: size * np.array([np.cos(turn * x[0]), np.sin(turn * x[0]) * np.cos(x[1]), np.sin(x[1]) + 0 * x[0]])
