"""The gap of superconductors whose occupation is not that of equilibrium, and hot electrons.

Energies in units of the gap Delta0 at zero temperature, lengths of sqrt(D/Delta0).
"""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import SolveError

TC = np.exp(np.euler_gamma) / np.pi
S = uf.superconductor(Tc=TC)


def largest(neq):
    return abs(uf.gap(neq).quadrature).max()


def wire(voltage, **options):
    """N-S-N, six coherence lengths, transparent contacts at +-V/2, T = 0.1."""
    contacts = {"left": uf.Reservoir(gap=0, voltage=voltage / 2), "right": uf.Reservoir(gap=0, voltage=-voltage / 2)}
    device = uf.Device(uf.interval({"S": 6.0}, size=0.25), {"S": S}, contacts)
    return uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-5, **options)


@pytest.mark.parametrize(
    ("voltage", "gap", "current"), [(0.4, 0.90910, 0.135869), (0.8, 0.86914, 0.267454), (1.0, 0.80461, 0.325126)]
)
def test_a_voltage_weakens_the_gap_of_a_wire_between_normal_reservoirs(voltage, gap, current):
    # an independent one-dimensional solution; the gap next to a transparent N contact depends on the cut-off by 1 %
    neq = wire(voltage)
    currents = [uf.charge_current(neq).through(name) / 2 for name in ("left", "right")]
    assert largest(neq) == pytest.approx(gap, rel=0.01)
    assert currents == pytest.approx([-current, current], rel=0.01)
    assert sum(currents) == pytest.approx(0.0, abs=1e-4 * current)
    assert abs(uf.charge_source(neq).integral()) < 1e-4 * current


def test_a_bistable_wire_stays_normal_from_a_small_gap_and_superconducting_from_a_large_one():
    normal = wire(1.0, initial=0.02)
    assert largest(normal) == 0.0
    assert uf.charge_current(normal).through("right") == pytest.approx(2 * 1.0 / 6, rel=1e-6)
    assert largest(wire(1.0, initial=wire(0.8, initial=0.5))) > 0.8
    assert largest(wire(0.95, initial=0.02)) == 0.0  # past an unstable gap of 0.295


def test_another_bias_of_an_unknown_gap_follows_its_branch():
    superconducting, normal = wire(0.9), wire(1.0, initial=0.02)
    raised = superconducting.with_bias(left=0.5, right=-0.5)
    assert largest(raised) == pytest.approx(0.80461, rel=0.01)
    assert uf.charge_current(raised).through("right") / 2 == pytest.approx(0.325126, rel=0.01)
    assert largest(normal.with_bias(left=0.48, right=-0.48)) == 0.0


def test_at_a_smaller_voltage_a_small_gap_grows():
    assert largest(wire(0.8, initial=0.02)) == pytest.approx(0.86914, rel=0.01)


def test_beyond_the_critical_voltage_the_gap_collapses():
    assert largest(wire(1.1)) == 0.0


def test_an_iteration_that_does_not_converge_says_that_there_may_be_several_states():
    with pytest.raises(SolveError, match="Several stationary states may exist") as error:
        wire(1.0, max_sweeps=3)
    assert len(error.value.residuals) == 3


def test_a_condensate_that_nothing_holds_finds_its_own_voltage():
    # D = 1 | 2, L = 5, V = 0.5: 0.041329 from the mean of the reservoirs, towards that on the side of the larger D
    mesh = uf.interval({"A": 2.5, "B": 2.5}, size=5 / 30)
    contacts = {"left": uf.Reservoir(gap=0, voltage=0.25), "right": uf.Reservoir(gap=0, voltage=-0.25)}
    device = uf.Device(mesh, {"A": S, "B": uf.superconductor(Tc=TC, D=2.0)}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-5)
    assert neq.condensate == pytest.approx(-0.041329, rel=0.01)
    current = uf.charge_current(neq)
    through = [-current.through("left"), current.through("A_B"), current.through("right")]
    assert through == pytest.approx([2 * 0.189363] * 3, rel=0.01)
    assert np.ptp(through) < 1e-4 * through[0]


# Two condensates: superconductors of four coherence lengths at N contacts at +-V/2, with a normal metal between them.
# Their currents do not need the edges of that metal resolved.
COARSE = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")


def link(length, left, right, size=0.5):
    mesh = uf.interval({"A": 4.0, "N": length, "B": 4.0}, size=size)
    return uf.Device(mesh, {"A": S, "N": uf.normal_metal(), "B": S}, {"left": left, "right": right})


def linked(length, voltage, *, size=0.5):
    ends = (uf.Reservoir(gap=0, voltage=sign * voltage / 2) for sign in (1, -1))
    return uf.solve_nonequilibrium(link(length, *ends, size), temperature=0.1, tolerance=1e-3)


@COARSE
@pytest.mark.parametrize("length", [0.1, 0.25, 0.5, 1.0])
def test_a_short_link_carries_the_current_of_two_condensates_without_a_voltage(length):
    # that of one wire at this voltage, the resistance of which is that of its contacts, whatever its length
    current = uf.charge_current(linked(length, 0.2, size=0.25))
    assert current.through("right") == pytest.approx(2 * 0.068124, rel=0.02)
    assert current.through("left") == pytest.approx(-current.through("right"), rel=1e-6)


@COARSE
@pytest.mark.slow
def test_a_link_locks_two_condensates_up_to_its_critical_current():
    bulk = float(uf.materials.bcs_gap(0.1, Tc=TC))

    def supercurrent(phase):
        ends = (uf.Reservoir(gap=bulk, phase=sign * phase / 2) for sign in (-1, 1))
        return uf.charge_current(uf.solve_equilibrium(link(3.0, *ends), 0.1)).through("right")

    critical = max(supercurrent(phase) for phase in (1.6, 1.8, 2.0))
    carried = uf.charge_current(linked(3.0, 0.08)).through("right")
    assert carried < critical
    assert carried * 0.15 / 0.08 > critical
    with pytest.raises(SolveError, match="not locked"):
        linked(3.0, 0.15)


def test_condensates_behind_a_long_normal_metal_stand_at_different_voltages_and_are_refused():
    names = r"not locked to each other: that of region '[AB]' and that of region '[AB]' .* shorter"
    with pytest.raises(SolveError, match=names) as error:
        linked(10.0, 0.4)
    assert len(error.value.residuals) < 60  # long before `max_sweeps`


@pytest.mark.slow
def test_a_condensate_that_is_not_locked_to_a_superconducting_reservoir_is_refused():
    contacts = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=0, voltage=0.4)}
    device = uf.Device(uf.interval({"N": 6.0, "B": 3.0}, size=0.5), {"N": uf.normal_metal(), "B": S}, contacts)
    with pytest.raises(SolveError, match="that of region 'B' and those of superconducting reservoirs"):
        uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-3)


def island(voltage, temperature, exchange=0.0, **options):
    """A small superconductor behind weak barriers, at half +V/2 and half -V/2: a distribution with two steps."""
    barrier = uf.Tunnel(conductance=1e-5)
    contacts = {
        "left": uf.Reservoir(gap=0, voltage=voltage / 2, barrier=barrier),
        "right": uf.Reservoir(gap=0, voltage=-voltage / 2, barrier=barrier),
    }
    material = uf.superconductor(Tc=TC, exchange=(0, 0, exchange)) if exchange else S
    device = uf.Device(uf.interval({"S": 0.1}, size=0.1), {"S": material}, contacts)
    options = {"tolerance": 1e-4} | options
    return largest(uf.solve_nonequilibrium(device, temperature=temperature, broadening=1e-3, order=1, **options))


# Two steps at +-V/2 act on the gap like a Zeeman field V/2, V = 1.2: two stable states, and Delta = 0.411642 between.
@pytest.mark.parametrize(
    ("initial", "expected"),
    [(None, 0.999906), (0.45, 0.999906), (0.37, 0.0), pytest.param(0.4116, None, id="unstable")],
)
def test_two_steps_in_a_distribution_leave_two_stable_gaps(initial, expected):
    found = island(1.2, 0.05, initial=initial)
    assert min(found, abs(found - 0.999906)) < 2e-3
    assert expected is None or found == pytest.approx(expected, abs=2e-3)


def test_a_voltage_brings_back_superconductivity_that_a_zeeman_field_has_destroyed():
    # V/2 = h = 1: Delta^4 - 4 h Delta + 1 = 0 at T = 0, 0.251003 at T = 0.01
    root = min(np.roots([1, 0, 0, -4, 1]), key=lambda z: abs(z - 0.25)).real
    assert root == pytest.approx(0.250992, abs=1e-6)
    # the broadening of 1e-3 moves it by about as much
    assert island(2.0, 0.01, exchange=1.0, initial=0.25, tolerance=1e-5) == pytest.approx(0.251003, abs=2e-3)


def normal_wire(rate, towards):
    material = uf.normal_metal(inelastic=uf.Relaxation(rate=rate, towards=towards))
    contacts = {"left": uf.Reservoir(gap=0, voltage=0.5), "right": uf.Reservoir(gap=0, voltage=-0.5)}
    return uf.solve_nonequilibrium(
        uf.Device(uf.interval({"N": 1.0}, size=0.05), {"N": material}, contacts), temperature=0.1
    )  # fmt: skip


@pytest.mark.parametrize("rate", [1.0, 30.0, 1000.0])
def test_hot_electrons_have_a_temperature_that_no_rate_changes(rate):
    # T^2 = T0^2 + (3/pi^2) V^2 (x/L) (1 - x/L), with T0 = 0.1 V
    neq = normal_wire(rate, "electrons")
    x = np.array([[0.1, 0.25, 0.5]])
    expected = np.sqrt(0.01 + 3 / np.pi**2 * x[0] * (1 - x[0]))
    assert expected[-1] == pytest.approx(0.293242, abs=1e-6)
    assert uf.local_temperature(neq).at(x) == pytest.approx(expected, rel=1e-6)
    assert uf.charge_current(neq).through("right") == pytest.approx(2.0, rel=1e-7)
    energy = uf.energy_current(neq)
    assert energy.through("left") + energy.through("right") == pytest.approx(0.0, abs=1e-6)


def test_strong_relaxation_makes_the_distribution_that_of_its_own_potential_and_temperature():
    neq = normal_wire(1000.0, "electrons")
    energies, h = neq.energies, uf.distribution(neq).at([[0.3]])[:, :2, 0]
    mu, temperature = uf.potential(neq).at([[0.3]])[0], uf.local_temperature(neq).at([[0.3]])[0]
    steps = [np.tanh((energies - sign * mu) / (2 * temperature)) for sign in (1, -1)]
    assert h[:, 0] == pytest.approx((steps[0] + steps[1]) / 2, abs=2e-3)
    assert h[:, 1] == pytest.approx((steps[0] - steps[1]) / 2, abs=2e-3)


def test_phonons_take_heat_but_no_charge():
    neq = normal_wire(1000.0, "bath")
    assert uf.local_temperature(neq).at([[0.5]]) == pytest.approx(0.1, rel=0.03)
    current, energy = uf.charge_current(neq), uf.energy_current(neq)
    assert current.through("left") == pytest.approx(-2.0, rel=1e-7)
    assert energy.through("left") + energy.through("right") < -1.5  # out of 2 that the voltage supplies


def test_relaxation_broadens_the_spectra_of_a_superconductor_and_leaves_its_gap():
    # far from the reservoir a rate is a Dynes broadening: N = Re (E + i Gamma)/sqrt((E + i Gamma)^2 - Delta^2)
    material = uf.superconductor(gap=1.0, inelastic=uf.Relaxation(rate=0.05))
    device = uf.Device(uf.interval({"S": 10.0}, size=0.5), {"S": material}, {"left": uf.Reservoir(gap=1.0)})
    neq = uf.solve_nonequilibrium(device, temperature=0.1, energies=[0.5, 0.7], broadening=0.01)
    z = 0.5 + 0.06j
    assert uf.density_of_states(neq).at([[10.0]])[0, 0] == pytest.approx((z / np.sqrt(z**2 - 1)).real, rel=1e-3)
    assert uf.gap(neq).at([[10.0]])[0] == pytest.approx(1.0, rel=1e-12)


def test_inelastic_scattering_and_the_gap_are_found_together():
    contacts = {"left": uf.Reservoir(gap=0, voltage=0.3), "right": uf.Reservoir(gap=0, voltage=-0.3)}
    material = uf.superconductor(Tc=TC, inelastic=uf.Relaxation(rate=0.02, towards="electrons"))
    device = uf.Device(uf.interval({"S": 6.0}, size=0.5), {"S": material}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-4, broadening=1e-2)
    current, energy = uf.charge_current(neq), uf.energy_current(neq)
    assert current.through("left") == pytest.approx(-current.through("right"), rel=1e-6)
    assert energy.through("left") + energy.through("right") == pytest.approx(0.0, abs=1e-5)
    assert 0.5 < largest(neq) < 0.95
