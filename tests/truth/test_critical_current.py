"""Critical currents, current-phase relations and kinetic inductances against closed forms and other methods."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

import usadelfem as uf
from usadelfem.materials import bcs_gap
from usadelfem.study.phase_bias import PhaseBias

S = uf.superconductor(Tc=1.0)


def weak_link(length=1.0, gap=1.0, *, cells=25, barrier=None, left=0.0, metal=None, **device):
    """A normal wire between reservoirs `left` and `right`, and its normal resistance."""
    mesh = uf.interval({"N": length}, size=length / cells)
    contacts = {"left": uf.Reservoir(gap, left), "right": uf.Reservoir(gap, barrier=barrier)}
    made = uf.Device(mesh, {"N": metal or uf.normal_metal()}, contacts, **device)
    return made, uf.normal_resistance(made, "left", "right")


def wire(length, size=0.5):
    return uf.Device(uf.interval({"S": length}, size=size), {"S": S}, {"left": uf.Reservoir(), "right": uf.Reservoir()})


def two_electrodes(length, conductance):
    """A tunnel junction between self-consistent electrodes."""
    mesh = uf.interval({"S1": length, "S2": length}, size=0.5)
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir()}
    return uf.Device(mesh, {"S1": S, "S2": S}, contacts, {"S1_S2": uf.Tunnel(conductance=conductance)})


@pytest.fixture(scope="module")
def long_junction():
    """A long junction at 3 E_Th: device, normal resistance, options of a solve."""
    return *weak_link(gap=1e6, cells=50), {"cutoff": 1000.0}


@pytest.fixture(scope="module")
def folded():
    """A wire so long that its current-phase relation has several branches."""
    return uf.critical_current(wire(8.0), "right", 0.3)


@pytest.mark.parametrize(("temperature", "expected"), [(0.1, 10.827), (3.0, 6.3480), (10.0, 0.99240)])
def test_the_critical_current_of_a_long_junction(long_junction, temperature, expected):
    # Dubos et al., PRB 63, 064502 (2001)
    device, resistance, options = long_junction
    ic = uf.critical_current(device, "right", temperature, **options)
    assert float(ic) * resistance == pytest.approx(expected, rel=2e-4)
    assert ic.error < 1e-4 * ic.value
    assert len(ic.phases) <= 10


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_short_junction_is_that_of_kulik_and_omelyanchuk():
    device, resistance = weak_link(0.01, cells=10)
    ic = uf.critical_current(device, "right", 0.002)
    assert ic.value * resistance == pytest.approx(1.32549 * np.pi / 2, rel=1e-3)
    assert ic.phase == pytest.approx(0.62740 * np.pi, rel=1e-3)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_tunnel_junction_is_that_of_ambegaokar_and_baratoff():
    conductance, temperature = 1e-3, 0.2
    device, _ = weak_link(1e-3, cells=2, barrier=uf.Tunnel(conductance=conductance))
    ic = uf.critical_current(device, "right", temperature, cutoff=100.0)
    assert ic.value == pytest.approx(conductance * np.pi / 2 * np.tanh(0.5 / temperature), rel=1e-4)
    assert ic.phase == pytest.approx(np.pi / 2, abs=1e-3)


def depairing_current(temperature):
    """The largest current of a uniform wire, sigma = 2: (w + (q^2/2) cos theta) sin theta = gap cos theta."""
    w = np.pi * temperature * (2 * np.arange(4000) + 1)

    def sine(gap, q):
        s = gap / np.hypot(w, gap)
        for _ in range(60):
            c = np.sqrt(1 - s * s)
            misfit, slope = (w + q**2 / 2 * c) * s - gap * c, w + q**2 / 2 * (c - s * s / c) + gap * s / c
            s = s - misfit / slope
        return s

    def current(q):
        def equation(gap):
            return np.log(temperature) + 2 * np.pi * temperature * (1 / w - sine(gap, q) / gap).sum()

        return 4 * np.pi * temperature * (sine(brentq(equation, 1e-3, 1.8), q) ** 2).sum() * q

    return -minimize_scalar(lambda q: -current(q), bounds=(0.4, 1.0), method="bounded").fun


def test_a_long_wire_carries_the_depairing_current(folded):
    # The reservoirs at the ends strengthen the gap, less so the longer the wire.
    depairing = depairing_current(0.3)
    short = uf.critical_current(wire(5.0), "right", 0.3)
    assert folded.folded
    assert folded.phase > np.pi
    assert 1 < folded.value / depairing < 1.03
    assert folded.value < short.value < 1.1 * depairing


def test_the_length_of_the_electrodes_shifts_the_phase_and_not_the_current():
    short, long = (uf.critical_current(two_electrodes(length, 0.05), "right", 0.3) for length in (1.0, 5.0))
    assert long.value == pytest.approx(short.value, rel=2e-3)
    assert long.phase > short.phase + 0.1
    assert not long.folded


@pytest.mark.filterwarnings("ignore:critical_current.* worse than precision")
def test_a_current_that_still_grows_where_solutions_are_lost_is_called_a_lower_bound(folded, monkeypatch):
    solve = PhaseBias.solve

    def failing(self, phase, *args, **options):
        if phase > 3.6:
            raise uf.errors.SolveError("none", frequency=1.0, residuals=(), state=None)
        return solve(self, phase, *args, **options)

    monkeypatch.setattr(PhaseBias, "solve", failing)
    with pytest.warns(UserWarning, match="lower bound"):
        ic = uf.critical_current(wire(8.0), "right", 0.3)
    assert ic.folded
    assert 3.5 < ic.phase < 3.6
    assert ic.value < folded.value


def test_a_vector_potential_shifts_the_relation():
    # d phi acts like -2 A: phi_0 = 2 A L
    plain, shifted = (
        uf.critical_current(weak_link(cells=10, A=potential)[0], "right", 0.2) for potential in (None, (0.3,))
    )
    assert shifted.value == pytest.approx(plain.value, rel=1e-4)
    assert shifted.phase == pytest.approx(plain.phase + 0.6, abs=2e-3)
    assert shifted.negative.value == pytest.approx(-plain.value, rel=1e-4)
    assert abs(shifted.diode_efficiency) < 1e-4
    assert uf.current_phase(weak_link(cells=10, A=(0.3,))[0], "right", 0.2).harmonics().phi_0 == pytest.approx(
        0.6, abs=1e-3
    )


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_the_diode_effect_of_a_graded_spin_hall_angle_is_odd_in_the_field():
    mesh = uf.rectangle({"N": 1.0}, width=0.6, size=0.3, cell="quad")

    def critical(h):
        metal = uf.normal_metal(theta=lambda x: 1.6 * (x[1] / 0.6 - 0.5), exchange=(0, 0, h))
        device = uf.Device(mesh, {"N": metal}, {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)})
        return uf.critical_current(device, "right", 0.2, frequencies=8, order=1)

    up, down = critical(1.5), critical(-1.5)
    assert up.value == pytest.approx(-down.negative.value, rel=1e-5)
    assert up.negative.value == pytest.approx(-down.value, rel=1e-5)
    assert abs(up.diode_efficiency) > 10 * up.error / up.value
    assert up.diode_efficiency == pytest.approx(-down.diode_efficiency, rel=0.05)


def test_the_energy_is_the_difference_of_free_energies(long_junction):
    device, _, options = long_junction
    energy = uf.josephson_energy(device, "right", 3.0, **options)
    zero, other = (
        uf.free_energy(uf.solve_equilibrium(device.with_phase("right", phase), 3.0, **options)) for phase in (0.0, 2.0)
    )
    assert energy.at(2.0) == pytest.approx(other - zero, rel=1e-3)
    assert energy.minimum == pytest.approx(0.0, abs=1e-6)
    assert energy.at(np.pi) == pytest.approx(energy.depth, rel=1e-6)


def test_a_pi_junction_has_its_least_energy_at_pi():
    device, _ = weak_link(1.5, cells=15, metal=uf.ferromagnet(exchange=(0, 0, 3.0)))
    energy = uf.josephson_energy(device, "right", 0.2)
    assert abs(energy.minimum) == pytest.approx(np.pi, abs=1e-3)
    assert abs(energy.curve.harmonics(1).phi_0) == pytest.approx(np.pi, abs=1e-6)


def test_the_inductance_of_a_dirty_wire():
    # R_N / (pi gap tanh(gap/2T)), hbar = 1
    temperature, device = 0.3, two_electrodes(3.0, 1.0)
    device = uf.Device(device.mesh, device.materials, device.contacts)
    gap = bcs_gap(temperature, 1.0)
    expected = uf.normal_resistance(device, "left", "right") / (np.pi * gap * np.tanh(gap / (2 * temperature)))
    whole = uf.kinetic_inductance(device, "right", temperature)
    half = uf.kinetic_inductance(device, "right", temperature, between=("left", "S1_S2"))
    biased = uf.kinetic_inductance(device, "right", temperature, phase=1.0)
    assert float(whole) == pytest.approx(expected, rel=1e-3)
    assert float(half) == pytest.approx(expected / 2, rel=1e-3)
    assert biased.value > 1.005 * whole.value


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
def test_the_inductance_of_a_tunnel_junction(phase):
    # 1/(2 I_c cos phi), negative beyond pi/2
    device, _ = weak_link(0.01, cells=2, barrier=uf.Tunnel(conductance=1e-3))
    critical = 1e-3 * np.pi / 2 * np.tanh(0.5 / 0.2)
    found = uf.kinetic_inductance(device, "right", 0.2, phase=phase, cutoff=100.0)
    assert found.value == pytest.approx(1 / (2 * critical * np.cos(phase)), rel=1e-3)
    assert found.current == pytest.approx(critical * np.sin(phase), abs=1e-3 * critical)


@pytest.mark.slow
def test_an_anharmonic_junction_near_its_transition_is_a_scan_of_200_phases():
    # next to the transition from 0 to pi the second harmonic is larger than the first one
    device, _ = weak_link(1.5, cells=15, metal=uf.ferromagnet(exchange=(0, 0, 3.0)))
    phases = 2 * np.pi * np.arange(200) / 200
    currents = []
    for phase in phases:
        eq = uf.solve_equilibrium(device.with_phase("right", phase), 0.2)
        currents.append(float(uf.charge_current(eq).through("right")))
    waves = np.fft.rfft(currents) / 200
    assert abs(waves[2]) > abs(waves[1])
    assert abs(waves[60:]).max() < 1e-12  # so that the trigonometric interpolant is exact

    def interpolated(phase):
        return 2 * (waves * np.exp(1j * np.arange(len(waves)) * phase)).real.sum() - waves[0].real

    found = uf.critical_current(device, "right", 0.2, precision=1e-9)
    for sign, value, phase in ((1, found.value, found.phase), (-1, found.negative.value, found.negative.phase)):
        top = phases[np.argmax(sign * np.array(currents))]
        scanned = minimize_scalar(
            lambda x, sign=sign: -sign * interpolated(x), bounds=(top - 0.04, top + 0.04), method="bounded",
            options={"xatol": 1e-10},
        )  # fmt: skip
        assert value == pytest.approx(-sign * scanned.fun, rel=1e-8)
        assert np.exp(1j * phase) == pytest.approx(np.exp(1j * scanned.x), abs=1e-3)


@pytest.mark.parametrize("potential", [0.3, 0.7])
def test_junctions_without_symmetry_take_at_most_twelve_solutions(potential):
    device, _ = weak_link(cells=10, A=(potential,))
    found = uf.critical_current(device, "right", 0.1, precision=1e-8)
    assert len(found.phases) <= 12
    for value, phase in ((found.value, found.phase), (found.negative.value, found.negative.phase)):
        around = np.array([-0.04, -0.02, 0.0, 0.02, 0.04])
        solved = (uf.solve_equilibrium(device.with_phase("right", phase + step), 0.1) for step in around)
        quartic = np.polynomial.Polynomial.fit(around, [uf.charge_current(eq).through("right") for eq in solved], 4)
        (top,) = (root.real for root in quartic.deriv().roots() if abs(root) < 0.04)
        assert value == pytest.approx(quartic(top), rel=1e-8)
