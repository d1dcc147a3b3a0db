"""Gauge invariance and SU(2) covariance of all observables, under refinement of the mesh."""

import numpy as np
import pytest
from devices import junction

import usadelfem as uf

T = 0.2
OPTIONS = {"order": 2, "frequencies": 3}
POINTS = np.random.default_rng(1).uniform(0.02, 0.98, (2, 100)) * [[1.0], [0.4]]


def observables(eq):
    f = uf.pair_amplitude(eq).at(POINTS)
    return {
        "charge current": uf.charge_current(eq).through("right"),
        "charge current density": uf.charge_current(eq).at(POINTS),
        "spin current": uf.spin_current(eq).at(POINTS),
        "spin density": uf.spin_density(eq).at(POINTS),
        "torque": uf.spin_orbit_torque(eq).at(POINTS),
        "singlet": abs(f[0]),
        "triplet": abs((f[1:] ** 2).sum(axis=0)),
    }


def phase(x):
    return 0.9 * np.sin(1.5 * x[0]) + 0.4 * x[1] ** 2


def half_gradient(x):
    return 0.5 * np.array([1.35 * np.cos(1.5 * x[0]), 0.8 * x[1]])


def gauged(size, *, chi, charge=1.0):
    """A junction with a gap of its own, before (chi = 0) and after (chi = 1) a gauge transformation."""
    mesh = uf.rectangle({"S": 1.0}, width=0.4, size=size)
    material = uf.superconductor(
        gap=lambda x: 0.5 * np.exp(1j * (0.3 * x[0] + chi * phase(x))), exchange=(0.5, 0.0, 1.0), theta=0.3, kappa=0.2,
        rashba=0.5,
    )  # fmt: skip
    contacts = {
        side: uf.Reservoir(1.0, lambda x, own=own: own + chi * phase(x))
        for side, own in (("left", 0.0), ("right", 0.8))
    }
    return uf.Device(mesh, {"S": material}, contacts, A=lambda x: 0.2 + charge * chi * half_gradient(x))


def largest_differences(one, two, turn=None):
    first, second = observables(one), observables(two)
    if turn is not None:
        for name in ("spin density", "spin current", "torque"):
            first[name] = np.einsum("abp,b...p->a...p", turn(POINTS[0]), first[name])
    return {name: np.sqrt(np.mean(np.abs(first[name] - second[name]) ** 2)) for name in first}


def test_gauge_transformation_changes_no_observable():
    coarse, fine = (
        largest_differences(*(uf.solve_equilibrium(gauged(size, chi=chi), T, **OPTIONS) for chi in (0, 1)))
        for size in (0.2, 0.1)
    )
    for name, difference in fine.items():
        assert difference < 2e-3, name
        assert difference < 0.4 * coarse[name] or difference < 1e-5, name


def test_wrong_sign_of_the_vector_potential_would_be_seen():
    plain, wrong = (
        uf.solve_equilibrium(gauged(0.1, chi=chi, charge=charge), T, **OPTIONS) for chi, charge in ((0, 1), (1, -1))
    )
    assert largest_differences(plain, wrong)["charge current"] > 0.05


ALPHA = 1.1


def turn(x):
    """Rotation about the x axis of spin by the angle 2 alpha x."""
    c, s = np.cos(2 * ALPHA * x), np.sin(2 * ALPHA * x)
    one, zero = np.ones_like(c), np.zeros_like(c)
    return np.array([[one, zero, zero], [zero, c, -s], [zero, s, c]])


def spun(size, *, rotated):
    """A uniform SU_x = alpha sigma_x with h along z, or no such field and h (and the Hall tensor) turning about x."""
    mesh = uf.rectangle({"F": 1.0}, width=0.4, size=size)
    h, hall = np.array([0.3, 0.0, 2.0]), np.zeros((2, 2, 3))
    hall[0, 1], hall[1, 0] = (0.1, 0.0, 0.3), (-0.1, 0.0, -0.3)
    if not rotated:
        material = uf.ferromagnet(exchange=h, su2=[(2 * ALPHA, 0, 0), (0, 0, 0)], spin_hall_tensor=hall, tau_so=2.0)
    else:
        material = uf.ferromagnet(
            exchange=lambda x: np.einsum("ab...,b->a...", turn(x[0]), h), tau_so=2.0,
            spin_hall_tensor=lambda x: np.einsum("ab...,ijb->ija...", turn(x[0]), hall),
        )  # fmt: skip
    return junction(mesh, {"F": material}, 0.9)


def test_uniform_su2_field_equals_a_helix_of_the_exchange_field():
    coarse, fine = (
        largest_differences(
            *(uf.solve_equilibrium(spun(size, rotated=r), T, **OPTIONS) for r in (False, True)), turn=turn
        )
        for size in (0.2, 0.1)
    )
    for name, difference in fine.items():
        assert difference < 2e-3, name
        assert difference < 0.4 * coarse[name] or difference < 1e-5, name


def test_helix_of_the_other_sense_would_be_seen():
    mesh = uf.interval({"F": 1.0}, size=0.05)
    values = []
    for su2 in ([(2 * ALPHA, 0, 0)], [(-2 * ALPHA, 0, 0)]):
        material = uf.ferromagnet(exchange=lambda x: 2.0 * turn(x[0])[:, 2], su2=su2)
        values.append(uf.charge_current(uf.solve_equilibrium(junction(mesh, {"F": material}, 0.9), T)).through("right"))
    assert abs(values[0] - values[1]) > 1e-3


def bulk_triplet(h, **coupling):
    """The triplet vector in the middle of a sample that is large compared with its decay length, linear in h."""
    mesh = uf.rectangle({"F": 4.0}, width=4.0, size=0.2)
    material = uf.normal_metal(gap=1e-3, exchange=1e-3 * np.asarray(h), D=1.3, **coupling)
    eq = uf.solve_equilibrium(uf.Device(mesh, {"F": material}), 2.0, quadrature="plain", frequencies=1, linearized=True)
    return uf.pair_amplitude(eq).at([[2.0], [2.0]])[1:, 0]


@pytest.mark.parametrize(("axis", "factor"), [(0, 4), (2, 8)])
def test_rashba_coupling_relaxes_triplets_with_the_dyakonov_perel_rates(axis, factor):
    # D k^2 = 2 w + rate; the rate is 4 D alpha^2 in the plane, 8 D alpha^2 out of it (validation.md 19)
    h, alpha = np.eye(3)[axis], 1.5
    ratio = abs(bulk_triplet(h)[axis]) / abs(bulk_triplet(h, rashba=alpha)[axis])
    assert ratio == pytest.approx(1 + factor * 1.3 * alpha**2 / (4 * np.pi), rel=2e-3)


def test_equal_rashba_and_dresselhaus_coupling_leave_one_triplet_unrelaxed():
    coupling = {"rashba": 1.5, "dresselhaus": 1.5}
    free, relaxed = ((1, -1, 0), (1, 1, 0))
    size = np.linalg.norm
    assert size(bulk_triplet(free, **coupling)) == pytest.approx(size(bulk_triplet(free)), rel=1e-6)
    assert size(bulk_triplet(relaxed, **coupling)) < 0.5 * size(bulk_triplet(relaxed))
