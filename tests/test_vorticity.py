"""Vortices are found where they are, and a solve says when they have left."""

import numpy as np
import pytest
import skfem

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # coarse discs
SUM = {"quadrature": "plain", "cutoff_index": 4}


def disc(radius, field, refinements=4):
    mesh = skfem.MeshTri1.init_circle(refinements).scaled(float(radius))
    return uf.Device(mesh.with_subdomains({"S": lambda x: x[0] < np.inf}), {"S": uf.superconductor(Tc=1.0)}, B=field)


def given(phase):
    """The vorticity of a gap of given phase on a disc of radius 5."""
    mesh = disc(5.0, 0.0).mesh
    device = uf.Device(mesh, {"S": uf.superconductor(gap=lambda x: np.hypot(*x) * np.exp(1j * phase(x)))})
    return uf.vorticity(uf.solve_equilibrium(device, 0.5, frequencies=2, order=1))


def test_a_vortex_is_where_the_phase_winds_around():
    found = given(lambda x: np.arctan2(x[1] - 1.0, x[0] + 2.0))
    assert found.windings.tolist() == [1]
    assert found.positions[:, 0] == pytest.approx([-2.0, 1.0], abs=0.5)
    assert repr(found).startswith("Vorticity(+1 at (")


def test_an_antivortex_winds_the_other_way():
    assert given(lambda x: -np.arctan2(x[1] - 1.0, x[0])).windings.tolist() == [-1]


def test_a_uniform_phase_has_no_vortex():
    assert len(given(lambda x: 0.3 * x[0])) == 0


def test_two_vortices_are_told_from_a_giant_one():
    def phase(x, distance):
        return np.arctan2(x[1], x[0] - distance) + np.arctan2(x[1], x[0] + distance)

    assert given(lambda x: phase(x, 2.0)).windings.tolist() == [1, 1]
    giant = given(lambda x: phase(x, 0.0))
    assert giant.windings.tolist() == [2]
    assert giant.total == 2


@pytest.mark.parametrize("of", ["gap", "pair_amplitude"])
def test_the_vortex_of_a_self_consistent_solve_is_in_the_middle(of):
    eq = uf.solve_equilibrium(disc(4.0, 0.3), 0.3, order=1, initial=uf.vortices([(0, 0, 1)]), **SUM)
    found = uf.vorticity(eq, of)
    assert found.windings.tolist() == [1]
    assert np.linalg.norm(found.positions) < 0.3


def test_a_vortex_that_leaves_the_sample_is_said_to_have_left():
    with pytest.warns(UserWarning, match="total winding .1 and ended with 0"):
        eq = uf.solve_equilibrium(disc(4.0, 0.0), 0.3, order=1, initial=uf.vortices([(3.2, 0.3, 1)]), **SUM)
    assert len(uf.vorticity(eq)) == 0


def test_vorticity_needs_a_plane():
    mesh = uf.interval({"S": 1.0}, size=0.5)
    eq = uf.solve_equilibrium(uf.Device(mesh, {"S": uf.superconductor(gap=1.0)}), 0.5, frequencies=2)
    with pytest.raises(uf.errors.ObservableError, match="two-dimensional"):
        uf.vorticity(eq)
    with pytest.raises(uf.errors.ObservableError, match="of is 'phase'; allowed are 'gap' and 'pair_amplitude'"):
        uf.vorticity(eq, "phase")


def wire(q, length=12.0):
    ends = {"left": uf.Reservoir(phase=-length / 2 * q), "right": uf.Reservoir(phase=length / 2 * q)}
    return uf.Device(uf.interval({"S": length}, size=0.25), {"S": uf.superconductor(Tc=0.56693)}, ends)


def phase_along(eq, length):
    phase = np.unwrap(np.angle(uf.gap(eq).at(np.linspace(0.0, length, 200)[None])))
    return phase[-1] - phase[0]


def test_a_wire_below_its_depairing_current_keeps_its_winding():
    eq = uf.solve_equilibrium(wire(0.6), 0.1)
    assert phase_along(eq, 12.0) == pytest.approx(7.2, abs=0.1)


def test_a_wire_beyond_its_depairing_current_is_said_to_have_slipped():
    # at q = 1.1 there is no gap, at 0.7 the current is largest; which winding is left is not fixed, its current is
    with pytest.warns(UserWarning, match="phase slip: from 'left' to 'right' the phase of the gap grows by"):
        eq = uf.solve_equilibrium(wire(1.1, 6.0), 0.1, order=1)
    left = phase_along(eq, 6.0)
    slips = (6.6 - left) / (2 * np.pi)
    assert slips == pytest.approx(round(slips), abs=1e-3)
    assert round(slips) != 0
    same = uf.solve_equilibrium(wire(left / 6.0, 6.0), 0.1, order=1)
    assert uf.charge_current(eq).through("right") == pytest.approx(uf.charge_current(same).through("right"), rel=1e-3)


def test_a_solve_that_runs_out_of_sweeps_keeps_its_best_state():
    with pytest.raises(uf.errors.SolveError, match=r"the best was .* in sweep 3.* initial=error.best") as caught:
        uf.solve_equilibrium(wire(0.6), 0.1, order=1, max_sweeps=3)
    best = caught.value.best
    assert abs(uf.gap(best).nodal).max() == pytest.approx(1.0, abs=0.01)  # at the reservoirs
    again = uf.solve_equilibrium(wire(0.6), 0.1, order=1, initial=best)
    assert uf.charge_current(again).through("right") == pytest.approx(1.479, abs=0.01)


ISLAND = {"S": uf.superconductor(Tc=0.567)}


@pytest.mark.parametrize("method", ["anderson", "newton"])
@pytest.mark.parametrize("conductance", [1e-2, 1e-5, 1e-10])
def test_a_weakly_held_island_takes_the_phase_at_which_its_currents_balance(conductance, method):
    # Josephson couplings 1 and 1/2 to phases 0 and 2: tan(phase) = (sin 2)/2 / (1 + (cos 2)/2) for weak barriers
    ends = {
        "left": uf.Reservoir(gap=1.0, barrier=uf.Tunnel(conductance=conductance)),
        "right": uf.Reservoir(gap=1.0, phase=2.0, barrier=uf.Tunnel(conductance=conductance / 2)),
    }
    eq = uf.solve_equilibrium(uf.Device(uf.interval({"S": 4.0}, size=0.4), ISLAND, ends), 0.1, method=method)
    phase = np.angle(uf.gap(eq).at([[2.0]]))[0]
    assert phase == pytest.approx(np.arctan2(np.sin(2) / 2, 1 + np.cos(2) / 2), abs=0.6 * conductance + 1e-5)
    current = uf.charge_current(eq)
    assert current.through("left") == pytest.approx(-current.through("right"), rel=1e-4)


@pytest.mark.parametrize(("refinements", "flux", "temperature"), [(2, 5.0, 0.2), (3, 3.5, 0.4)])
def test_two_vortices_where_one_method_stalls_are_found_by_the_other(refinements, flux, temperature):
    device = disc(3.0, flux / 3.0**2, refinements)
    start = {"order": 1, "initial": uf.vortices([(-1, 0, 1), (1, 0, 1)])}
    eq = uf.solve_equilibrium(device, temperature, **start)
    assert 30 < len(eq.sweeps) < 70  # Anderson alone needs more than 500
    assert uf.vorticity(eq).total == 2
    newton = uf.solve_equilibrium(device, temperature, method="newton", **start)
    assert uf.free_energy(eq) == pytest.approx(uf.free_energy(newton), rel=1e-10)


def test_a_vortex_and_an_antivortex_that_meet_are_said_to_have_met():
    device = uf.Device(uf.rectangle({"S": 3.0}, 3.0, 0.3), {"S": uf.superconductor(Tc=0.567)}, B=0.3)
    start = uf.vortices([(1.0, 1.5, 1), (2.0, 1.5, -1)])
    with pytest.warns(UserWarning, match=r"winding \+1 and -1 and ended with 0"):
        uf.solve_equilibrium(device, 0.2, order=1, initial=start, cutoff=3.0)


def test_vortices_in_a_sample_that_becomes_normal_are_said_to_have_gone():
    device = uf.Device(uf.rectangle({"S": 3.0}, 3.0, 0.3), {"S": uf.superconductor(Tc=0.567)}, B=1.5)
    with pytest.warns(UserWarning, match="the gap has vanished, and with it the vortices"):
        uf.solve_equilibrium(device, 0.2, order=1, initial=uf.vortices([(1.5, 1.5, 2)]), cutoff=3.0)


@pytest.mark.parametrize("core", [(0.0, 0.0, 1), (0.0, 1.5, 1), (3.0, 3.0, -1)])
def test_a_vortex_on_the_edge_is_refused(core):
    device = uf.Device(uf.rectangle({"S": 3.0}, 3.0, 0.5), {"S": uf.superconductor(Tc=0.567)})
    with pytest.raises(uf.errors.DeviceError, match="on its edge"):
        uf.solve_equilibrium(device, 0.2, initial=uf.vortices([core]))
