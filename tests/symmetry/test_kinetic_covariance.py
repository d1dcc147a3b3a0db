"""Rotations of spins, of space, and of spins by angles that vary in space, out of equilibrium with theta and kappa."""

from dataclasses import replace

import numpy as np
import pytest
from devices import rotation

import usadelfem as uf

# Symmetries hold on meshes of any coarseness, and whatever part of an occupation given energies leave out.
pytestmark = [
    pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning"),
    pytest.mark.filterwarnings("ignore:the energies, from:UserWarning"),
]

EXCHANGE = np.array([1.5, 0.6, 2.0])
SU2 = np.array([(0.2, -0.3, 0.1), (0.1, 0.4, 0.3), (-0.3, 0.2, 0.4)])
A = np.array([0.3, -0.5, 0.2])
SPIN_BIAS = np.array([0.3, -0.4, 0.6])
HALL = {"theta": 0.25, "kappa": 0.35}
TENSOR = np.zeros((2, 2, 3))
TENSOR[0, 1], TENSOR[1, 0] = (0.1, -0.2, 0.25), (-0.1, 0.2, -0.25)


def flat(size=0.2):
    ends = {
        "N1": lambda x: (x[1] == 0) & (abs(x[0] - 0.5) < 0.31), "N2": lambda x: (x[1] == 1) & (abs(x[0] - 0.6) < 0.21)
    }  # fmt: skip
    return uf.rectangle({"F": 1.0}, width=1.0, size=size).with_boundaries(ends)


def solid():
    def middle(x):
        return (abs(x[0] - 0.5) < 0.1) & (abs(x[2] - 0.5) < 0.1)

    ends = {"N1": lambda x: (x[1] == 0) & middle(x), "N2": lambda x: (x[1] == 1) & middle(x)}
    return uf.box({"F": 1.0}, size=1 / 3, cell="hexahedron").with_boundaries(ends)


def solved(mesh, *, spin_bias=SPIN_BIAS, A=None, **coefficients):
    """A ferromagnet between two superconducting contacts and two normal ones, with a voltage and a spin bias."""
    contacts = {"left": uf.Reservoir(gap=20.0), "right": uf.Reservoir(gap=20.0, phase=1.1)}
    contacts |= {"N1": uf.Reservoir(gap=0.0, voltage=5.0), "N2": uf.Reservoir(gap=0.0, spin_bias=tuple(spin_bias))}
    device = uf.Device(mesh, {"F": uf.ferromagnet(tau_so=2.0, **coefficients)}, contacts, A=A)
    order = 2 if mesh.dim() == 2 else 1
    return uf.solve_nonequilibrium(device, temperature=3.0, broadening=1e-3, energies=[6.0, 6.5], order=order)


def conductances(neq):
    return uf.conductance_matrix(neq).values[0]


def with_spins_turned(values, turn):
    """Conductances with both spin indices turned, those of s_a and of s_a tau3."""
    modes = np.eye(8)
    modes[2:5, 2:5] = modes[5:, 5:] = turn
    return np.einsum("xi,aibj,yj->axby", modes, values, modes)


def check_turned(neq, other, turn, space):
    """Assert that `other` is `neq` with its spins turned, and with space mapped by a matrix."""
    assert conductances(other) == pytest.approx(with_spins_turned(conductances(neq), turn), abs=1e-10)
    charge, spin, density = (
        [observable(each).quadrature for each in (neq, other)]
        for observable in (uf.charge_current, uf.spin_current, uf.spin_density)
    )
    assert charge[1] == pytest.approx(np.einsum("kl,l...->k...", space, charge[0]), abs=1e-9)
    assert spin[1] == pytest.approx(np.einsum("ab,kl,bl...->ak...", turn, space, spin[0]), abs=1e-9)
    assert density[1] == pytest.approx(np.einsum("ab,b...->a...", turn, density[0]), abs=1e-9)
    for name in neq.terminals:
        assert uf.charge_current(other).through(name) == pytest.approx(uf.charge_current(neq).through(name), abs=1e-9)
        assert uf.spin_current(other).through(name) == pytest.approx(
            turn @ uf.spin_current(neq).through(name), abs=1e-9
        )


# Everywhere by the same angle

TURN = rotation((1, -2, 0.5), 2.3)


def test_rotating_all_spins_with_the_hall_tensor_rotates_the_spin_modes_and_no_others():
    neq = solved(flat(), A=A[:2], exchange=EXCHANGE, su2=SU2[:2], spin_hall_tensor=TENSOR)
    other = solved(
        flat(), A=A[:2], exchange=TURN @ EXCHANGE, su2=SU2[:2] @ TURN.T, spin_hall_tensor=TENSOR @ TURN.T,
        spin_bias=TURN @ SPIN_BIAS,
    )  # fmt: skip
    check_turned(neq, other, TURN, np.eye(2))


# theta and kappa tie the axes of spin to those of space; spins are axial vectors
ABOUT_Z = rotation((0, 0, 1), 0.7)
SPACES = {
    "plane turned": ABOUT_Z, "plane mirrored": np.diag([-1.0, 1.0, 1.0]), "solid turned": TURN,
    "solid mirrored": TURN @ np.diag([1.0, 1.0, -1.0]),
}  # fmt: skip


def turned_together(name, **changed):
    """A device, the same turned with its spins, the turn of spins and that of space; some coefficients not turned."""
    mesh = flat() if "plane" in name else solid()
    dim = mesh.dim()
    space = SPACES[name][:dim, :dim]
    turn = SPACES[name] * np.linalg.det(SPACES[name])
    neq = solved(mesh, A=A[:dim], exchange=EXCHANGE, su2=SU2[:dim], **HALL)
    fields = {"A": space @ A[:dim], "exchange": turn @ EXCHANGE, "su2": space @ SU2[:dim] @ turn.T} | HALL
    mapped = replace(mesh, doflocs=space @ mesh.p)
    return neq, solved(mapped, **fields | {"spin_bias": turn @ SPIN_BIAS} | changed), turn, space


@pytest.mark.parametrize("name", SPACES)
def test_with_theta_and_kappa_a_device_may_be_turned_or_mirrored_together_with_its_spins(name):
    check_turned(*turned_together(name))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("solid turned", {"theta": 0.0}), ("solid turned", {"kappa": 0.0}), ("plane mirrored", {"theta": -0.25}),
        ("plane mirrored", {"kappa": -0.35}),
    ],
    ids=str,
)  # fmt: skip
def test_these_symmetries_see_theta_and_kappa(name, change):
    neq, other, turn, _ = turned_together(name, **change)
    assert abs(conductances(other) - with_spins_turned(conductances(neq), turn)).max() > 0.1


def test_theta_and_kappa_do_not_allow_turning_spins_alone():
    neq = solved(solid(), A=A, exchange=EXCHANGE, su2=SU2, **HALL)
    other = solved(solid(), A=A, exchange=TURN @ EXCHANGE, su2=SU2 @ TURN.T, spin_bias=TURN @ SPIN_BIAS, **HALL)
    assert abs(conductances(other) - with_spins_turned(conductances(neq), TURN)).max() > 0.1


# By an angle that varies in space: su2 = its gradient takes the place of the rotation of all spin vectors


def angle(x):
    return 1.2 * x[0] - 0.4 * x[1] + 0.5 * x[0] * x[1]


def gradient(x):
    return np.array([1.2 + 0.5 * x[1], -0.4 + 0.5 * x[0]])


def turned_at(x, axis, vector):
    """A vector, turned about a unit vector by the angle at x."""
    along = axis @ vector * axis
    shape = (3,) + (1,) * (x.ndim - 1)
    parts = along, np.cross(axis, vector), vector - along
    fixed, sine, cosine = (part.reshape(shape) for part in parts)
    return fixed + np.sin(angle(x)) * sine + np.cos(angle(x)) * cosine


def differences(axis, size, sense=1.0, **coefficients):
    """Largest differences of conductances between a rotation about an axis and the gauge field in its place: of charge
    and energy, and of these and spins along the axis.
    """
    axis = np.array(axis, float)
    tensor, spin = coefficients.pop("spin_hall_tensor", np.zeros((2, 2, 3))), 2 + int(abs(axis).argmax())
    gauged = solved(
        flat(size), A=A[:2], exchange=EXCHANGE, spin_hall_tensor=tensor, **coefficients,
        su2=lambda x: sense * np.einsum("k...,a->ka...", gradient(x), axis),
    )  # fmt: skip
    rotated = solved(
        flat(size), A=A[:2], exchange=lambda x: turned_at(x, axis, EXCHANGE), **coefficients,
        spin_hall_tensor=lambda x: np.array([[turned_at(x, axis, own) for own in row] for row in tensor]),
    )  # fmt: skip
    change = abs(conductances(rotated) - conductances(gauged))
    return [change[:, own][:, :, :, own].max() for own in ([0, 1], [0, 1, spin, spin + 3])]


@pytest.fixture(scope="module")
def about_the_normal():
    return {size: differences((0, 0, 1), size, **HALL) for size in (0.2, 0.1)}


@pytest.mark.slow
def test_theta_and_kappa_are_invariant_under_local_rotations_about_the_normal_of_the_plane(about_the_normal):
    coarse, fine = (np.array(about_the_normal[size]) for size in (0.2, 0.1))
    assert fine[0] < 1e-5
    assert fine[1] < 1e-4
    assert (fine < coarse / 3).all()


@pytest.mark.slow
def test_a_local_rotation_of_the_other_sense_would_be_seen(about_the_normal):
    other = differences((0, 0, 1), 0.1, sense=-1.0, **HALL)
    assert (np.array(other) > 50 * np.array(about_the_normal[0.1])).all()


@pytest.mark.slow
def test_a_local_rotation_about_another_axis_takes_the_hall_tensor_along():
    coarse, fine = (np.array(differences((1, 0, 0), size, spin_hall_tensor=TENSOR)) for size in (0.2, 0.1))
    assert fine[0] < 5e-4
    assert fine[1] < 1e-3
    assert (fine < coarse / 3).all()
