"""One discretised device: what phases and temperatures share, and what they do not."""

import pickle

import numpy as np
import pytest
from devices import sfs

import usadelfem as uf
from usadelfem.fem.matsubara import Matsubara
from usadelfem.fem.problem import MOST_KEPT, build_problem
from usadelfem.numerics.pardiso import PardisoBackend

FEW = {"order": 1, "frequencies": 2}
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")


def rebuilt(device, phase):
    """The same device made anew, which shares nothing."""
    contacts = {**device.contacts, "right": uf.Reservoir(gap=device.contacts["right"].gap, phase=phase)}
    return uf.Device(device.mesh, device.materials, contacts, device.interfaces)


def test_a_phase_reuses_the_discretisation_and_gives_what_a_new_device_gives():
    device = sfs()
    first = uf.solve_equilibrium(device, 0.2, **FEW)
    turned = uf.solve_equilibrium(device.with_phase("right", 2.1), 0.2, **FEW)
    anew = uf.solve_equilibrium(rebuilt(device, 2.1), 0.2, **FEW)
    assert turned.problem.space is first.problem.space is not anew.problem.space
    assert turned.problem.pattern is first.problem.pattern
    assert turned.problem.electrodes["left"] is first.problem.electrodes["left"]
    assert np.array_equal(turned.riccati, anew.riccati)
    assert turned.device.contacts["right"].phase == 2.1


def test_a_phase_in_other_units_than_radians_is_still_warned_of():
    with pytest.warns(UserWarning, match="degrees"):
        sfs().with_phase("right", 180.0)


def test_a_temperature_changes_bulk_gaps_of_reservoirs_and_nothing_else():
    metal = uf.superconductor(Tc=1.0)
    mesh = uf.interval({"S": 1.0}, size=0.2)
    device = uf.Device(mesh, {"S": metal}, {"left": uf.Reservoir(), "right": uf.Reservoir(gap=1.0)})
    cold, warm = (build_problem(device, 1, temperature=t) for t in (0.2, 0.8))
    assert warm.space is cold.space
    assert warm.electrodes["right"] is cold.electrodes["right"]
    assert warm.electrodes["left"].gap == pytest.approx(uf.materials.bcs_gap(0.8, 1.0))
    again = cold.with_temperature(0.8)
    assert again.electrodes["left"].gap == pytest.approx(warm.electrodes["left"].gap)


def test_other_columns_leave_the_problem_that_they_came_from_alone():
    problem = build_problem(sfs(), 1)
    table = problem.coefficients.table.copy()
    table[..., 0] *= 2.0
    other = problem.with_columns(table)
    state = np.zeros((problem.space.nodes.shape[1], 4), complex)
    one, two = (Matsubara(p).residual(0.3, Matsubara(p).clamp(0.3, state))[0] for p in (problem, other))
    assert two == pytest.approx(2 * one)
    assert other.pattern is problem.pattern


def test_another_order_or_equation_is_another_discretisation_and_old_ones_go():
    device = sfs()
    first = build_problem(device, 1)
    assert build_problem(device, 2) is not first
    assert build_problem(device, 1) is first
    for order in (1, 2):
        for sector in ("auto", "full"):
            build_problem(device, order, sector=sector, linearized=True)
    assert len(device.kept) == MOST_KEPT


def test_a_gap_is_another_device():
    device = sfs()
    first = build_problem(device, 1)
    region = next(iter(device.conductors))
    assert build_problem(device.with_gap({region: 0.3}), 1).space is not first.space


def test_pickled_devices_do_not_carry_discretisations():
    device = sfs()
    build_problem(device, 1)
    assert not pickle.loads(pickle.dumps(device)).kept


def test_the_pattern_of_the_matrices_is_analysed_once_for_all_phases(monkeypatch):
    if "pardiso" not in uf.solve_equilibrium(sfs(), 0.2, **FEW).solver:
        pytest.skip("SuperLU has no analysis of its own")
    count, analyse = [], PardisoBackend._analyse
    monkeypatch.setattr(PardisoBackend, "_analyse", lambda self, slot: count.append(slot) or analyse(self, slot))
    device = sfs()
    for phase in (0.3, 0.9, 1.5):
        uf.solve_equilibrium(device.with_phase("right", phase), 0.2, **FEW)
    assert len(count) == 1


def test_sums_of_results_run_over_their_points():
    eq = uf.solve_equilibrium(sfs(), 0.2, order=1)
    # 2 pi T sum 1/(w^2 + 1) = (1/2) pi tanh(1/2T)
    assert eq.sum(1 / (eq.points.w**2 + 1)) == pytest.approx(0.5 * np.pi * np.tanh(2.5), rel=1e-6)
    spec = uf.solve_spectrum(eq, np.linspace(0.0, 2.0, 5), broadening=0.1)
    assert spec.sum(np.ones(5)) == pytest.approx(2.0)
    assert spec.points.w[1] == 0.1 - 0.5j
    with pytest.raises(uf.errors.ObservableError, match="allowed is"):
        eq.sum(np.ones(1 + len(eq.frequencies)))


def test_the_normal_state_stands_on_a_problem_too():
    device = uf.Device(
        uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal()},
        {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()},
    )  # fmt: skip
    one, two = uf.solve_normal_state(device), uf.solve_normal_state(device)
    assert one.problem.space is two.problem.space
