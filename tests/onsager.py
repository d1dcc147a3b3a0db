"""Onsager relations of a square ferromagnet between two superconducting and two normal contacts."""

import numpy as np

import usadelfem as uf

SIGNS = np.array([1, 1, -1, -1, -1, -1, -1, -1])  # of the modes (conductance_matrix) under time reversal
CHARGE_AND_ENERGY = slice(0, 2)


def square(direction, size):
    """All fields and phases reversed for direction = -1; theta, kappa and gauge fields of spin stay."""
    ends = {
        "N1": lambda x: (x[1] == 0) & (abs(x[0] - 0.5) < 0.31), "N2": lambda x: (x[1] == 1) & (abs(x[0] - 0.6) < 0.21)
    }  # fmt: skip
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=size).with_boundaries(ends)
    metal = uf.ferromagnet(
        exchange=direction * np.array((1.5, 0.6, 2.0)), theta=0.25, kappa=0.35, tau_so=2.0,
        su2=[(0.2, -0.3, 0.1), (0.1, 0.4, 0.3)],
    )  # fmt: skip
    contacts = {"left": uf.Reservoir(gap=20.0), "right": uf.Reservoir(gap=20.0, phase=1.1 * direction)}
    contacts |= {"N1": uf.Reservoir(gap=0.0), "N2": uf.Reservoir(gap=0.0)}
    device = uf.Device(mesh, {"F": metal}, contacts, A=direction * np.array((0.3, -0.5)))
    return uf.solve_nonequilibrium(device, temperature=3.0, broadening=1e-3, energies=[6.0, 6.5])


def between_normal_contacts(values):
    return values[2:, :, 2:]


def onsager_error(one, other, signs=SIGNS):
    """Largest differences of the conductances between the normal contacts, by modes (8, 8)."""
    transposed = np.einsum("aibj,i,j->bjai", other, signs, signs)
    return abs(between_normal_contacts(one - transposed)).max(axis=(0, 2))
