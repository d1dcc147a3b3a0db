"""Small devices that several tests share."""

import numpy as np

import usadelfem as uf


def junction(mesh, materials, phase, *, gap=1.0):
    """A device between reservoirs `left` and `right` with a phase difference."""
    contacts = {"left": uf.Reservoir(gap, -phase / 2), "right": uf.Reservoir(gap, phase / 2)}
    return uf.Device(mesh, materials, contacts)


def supercurrent(device, temperature, **options):
    """Current through the right contact times the normal resistance: e I R_N."""
    eq = uf.solve_equilibrium(device, temperature, **options)
    return float(uf.charge_current(eq).through("right")) * uf.normal_resistance(device, "left", "right")


def sfs(phase=1.0, *, exchange=(0.0, 0.0, 3.0), mesh=None, **coefficients):
    """A short one-dimensional SFS junction, or the same on another mesh with a region F."""
    mesh = uf.interval({"F": 1.0}, size=0.1) if mesh is None else mesh
    return junction(mesh, {"F": uf.ferromagnet(exchange=exchange, **coefficients)}, phase)


def rotation(axis, angle):
    """Rotation matrix about an axis (Rodrigues)."""
    n = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
