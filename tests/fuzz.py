"""Random devices and what holds for all of them.

    python tests/fuzz.py 1000          # so many devices, from seed 0
    python tests/fuzz.py 1 --seed 417  # one of them again

Every device is solved, or refused with an error of the package that says what to do; what is solved keeps its
invariants.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

import usadelfem as uf

EXPECTED = (uf.errors.DeviceError, uf.errors.SolveError)


def spin(rng, size):
    vector = rng.normal(size=3)
    axis = rng.integers(4)
    return size * (np.eye(3)[axis] if axis < 3 else vector / np.linalg.norm(vector))


def material(rng, diffusion, kind):
    """Coefficients as they occur, each present in a part of the devices."""
    options = {"D": diffusion * rng.uniform(0.3, 3.0), "N0": rng.uniform(0.5, 2.0)}
    if rng.random() < 0.3:
        options["tau_so"] = 10 ** rng.uniform(-2, 2)
    if rng.random() < 0.2:
        options["tau_sf"] = 10 ** rng.uniform(0, 2)
    if rng.random() < 0.2:
        options["depairing"] = rng.uniform(0, 0.3)
    if rng.random() < 0.3:
        options["theta"], options["kappa"] = rng.uniform(-0.3, 0.3, 2)
    if rng.random() < 0.2:
        options["rashba"] = rng.uniform(-1.0, 1.0)
    if kind == "F" or rng.random() < 0.1:
        options["exchange"] = tuple(spin(rng, 10 ** rng.uniform(-1, 1)))
    if kind == "S":
        return uf.superconductor(gap=rng.uniform(0.3, 1.0) * np.exp(1j * rng.uniform(-3, 3)), **options)
    if kind == "T":
        options.pop("exchange", None)
        return uf.superconductor(Tc=rng.uniform(0.4, 0.6), **options)
    return uf.materials.Material(**options)


def barrier(rng):
    conductance = 10 ** rng.uniform(-3, 3)
    kind = rng.integers(3)
    if kind == 0:
        return uf.Tunnel(conductance=conductance)
    if kind == 1:
        return uf.Nazarov(conductance=conductance, transparencies=[rng.uniform(0.05, 1.0)])
    return uf.SpinActive(
        conductance=conductance, polarization=rng.uniform(-0.9, 0.9), mixing=conductance * rng.uniform(-1, 1),
        magnetization=tuple(spin(rng, 1.0)),
    )  # fmt: skip


def mesh_of(rng, layers):
    dim = rng.choice([1, 2, 3], p=[0.5, 0.4, 0.1])
    if dim == 1:
        return uf.interval(layers, size=rng.uniform(0.05, 0.3))
    if dim == 2:
        cell = rng.choice(["triangle", "quad"])
        return uf.rectangle(layers, width=rng.uniform(0.3, 2), size=rng.uniform(0.15, 0.4), cell=cell)
    return uf.box(layers, width=0.7, height=0.7, size=0.5, cell=rng.choice(["tetrahedron", "hexahedron"]))


def device(seed):
    """A random device, its temperature and the order of its elements."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["N", "F", "S", "T"], size=rng.integers(1, 4), p=[0.35, 0.35, 0.15, 0.15])
    layers = {f"{kind}{n}": rng.uniform(0.4, 2.5) for n, kind in enumerate(kinds)}
    mesh = mesh_of(rng, layers)
    diffusion = 10 ** rng.uniform(-0.5, 0.5)
    materials = {name: material(rng, diffusion, name[0]) for name in layers}
    contacts = {}
    for side in ("left", "right"):
        if rng.random() < 0.85:
            own = {"barrier": barrier(rng)} if rng.random() < 0.4 else {}
            contacts[side] = uf.Reservoir(gap=rng.choice([0.0, 1.0, 0.7]), phase=rng.uniform(-3, 3), **own)
    names = list(layers)
    interfaces = {
        f"{one}_{two}": barrier(rng) for one, two in pairwise(names) if rng.random() < 0.4
    }
    field = {"B": rng.uniform(-0.5, 0.5)} if mesh.dim() == 2 and rng.random() < 0.2 else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a part without contact
        made = uf.Device(mesh, materials, contacts, interfaces, **field)
    return made, float(10 ** rng.uniform(-1.3, 0)), int(rng.integers(1, 3))


def turned(made, rotation):
    """The device with all its spin vectors turned, for devices whose spin axes are not tied to space."""
    def around(vector):
        return tuple(float(x) for x in rotation @ np.asarray(vector, float))

    materials = {name: replace(m, exchange=around(m.exchange)) for name, m in made.materials.items()}

    def part(own):
        return own and replace(own, magnetization=around(own.magnetization))

    contacts = {name: replace(c, barrier=part(c.barrier)) for name, c in made.contacts.items()}
    interfaces = {key: part(interface) for key, interface in made.interfaces.items()}
    return replace(made, materials=materials, contacts=contacts, interfaces=interfaces)


def is_tied(made):
    return any(m.theta or m.kappa or m.rashba for m in made.materials.values())


def check(made, eq, options, folder):
    """AssertionError unless the invariants hold."""
    points = made.mesh.p[:, made.mesh.t[:, ::7]].mean(axis=1)
    g = eq.green(points)
    square = np.einsum("wijp,wjkp->wikp", g, g)
    assert abs(square - np.eye(4)[None, :, :, None]).max() < 1e-9, "g^2 = 1"
    currents = {name: uf.charge_current(eq).through(name) for name in made.contacts}
    size = max(1e-3, *map(abs, currents.values())) if currents else 1.0
    sources = any(m.gap is not None and np.any(m.gap) for m in made.materials.values())
    if currents and not sources:
        # The phase of a floating island is right to 1e-7, and so is the current into it relative to what it may carry.
        allowed = 1e-6 * size + 1e-8 * any(m.Tc for m in made.materials.values())
        assert abs(sum(currents.values())) < allowed, f"currents {currents} add up to zero"
    assert np.isfinite(uf.free_energy(eq)), "free energy"
    full = uf.solve_equilibrium(made, eq.temperature, sector="full", **options)
    for name, current in currents.items():
        assert abs(uf.charge_current(full).through(name) - current) < 1e-5 * size, "sectors"
    if not is_tied(made):
        axes, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
        other = uf.solve_equilibrium(turned(made, axes * np.linalg.det(axes)), eq.temperature, **options)
        for name, current in currents.items():
            assert abs(uf.charge_current(other).through(name) - current) < 1e-5 * size, "spin rotation"
    again = uf.load(uf.save(Path(folder) / "fuzz.h5", eq))
    for name, current in currents.items():
        assert uf.charge_current(again).through(name) == current, "round trip"


def run(seed, folder):
    """What became of one device: "solved", "warned" or "refused: ...", or an exception."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            made, temperature, order = device(seed)
            options = {"order": order, "tolerance": 1e-9}
            eq = uf.solve_equilibrium(made, temperature, **options)
        except EXPECTED as error:
            helps = not isinstance(error, uf.errors.SolveError) or "Try:" in str(error)
            return f"{'refused' if helps else 'UNHELPED'}: {str(error)[:200]}"
        check(made, eq, options, folder)
    return f"warned: {said[0].message!s:.120}" if said else "solved"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    counts, start = Counter(), time.time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seed, given.seed + given.count):
            try:
                outcome = run(seed, folder)
            except Exception as error:
                outcome = f"BROKEN: {type(error).__name__}: {error}"
            counts[outcome.split(":")[0]] += 1
            if not outcome.startswith("solved"):
                print(f"{seed}: {outcome}", flush=True)
    print(dict(counts), f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
