"""Kinetic coefficients of the impurity model against its complex scattering amplitudes."""

import numpy as np
import pytest

import usadelfem as uf

GIVEN = {
    "scattering_length": 0.4,
    "compton_wavelength": 0.15,
    "fermi_momentum": 1.3,
    "concentration": 0.01,
    "mass": 0.8,
}


def amplitudes(scattering_length, compton_wavelength, fermi_momentum, concentration, mass):
    """tau, w1, w2 from the complex t matrix (theory.md section 9)."""
    t0 = 2 * np.pi * scattering_length / mass
    t = t0 / (1 + 1j * fermi_momentum * scattering_length)
    b = compton_wavelength**2 * fermi_momentum**2 * t0
    density = mass * fermi_momentum / (2 * np.pi**2)
    w = 2 * np.pi * concentration * density * np.conj(t) * b
    return 1 / (2 * np.pi * concentration * density * abs(t) ** 2), w.real, w.imag


@pytest.mark.parametrize("length", [0.4, -0.4, 0.02, 5.0, -5.0])
def test_all_coefficients_follow_from_the_complex_amplitudes(length):
    given = GIVEN | {"scattering_length": length, "compton_wavelength": 0.1}
    s = uf.materials.impurity_scattering(**given)
    tau, w1, w2 = amplitudes(**given)
    pf, velocity = 1.3, 1.3 / 0.8
    assert s.tau == pytest.approx(tau)
    assert s.l == s.mean_free_path == pytest.approx(velocity * tau)
    assert pytest.approx(velocity**2 * tau / 3) == s.D
    assert s.theta_skew == pytest.approx(2 / 3 * w2 * tau)
    assert s.theta_side_jump == pytest.approx(2 * w1 * tau / (pf * s.l))
    assert s.kappa_local == pytest.approx(2 / 3 * w1 * tau)
    assert s.kappa_nonlocal == pytest.approx(-2 * w2 * tau / (pf * s.l))
    assert s.theta == pytest.approx(s.theta_skew + s.theta_side_jump)
    assert s.kappa == pytest.approx(s.kappa_local + s.kappa_nonlocal)
    assert 1 / s.tau_so == pytest.approx(8 / 9 * (0.1 * pf) ** 4 / tau)


def test_optical_theorem_ties_skew_scattering_to_local_swapping():
    s = uf.materials.impurity_scattering(**GIVEN)
    assert s.theta_skew / s.kappa_local == pytest.approx(1.3 * 0.4)


def test_scattering_time_saturates_in_the_resonant_limit():
    one, two = (
        uf.materials.impurity_scattering(**GIVEN | {"scattering_length": a, "compton_wavelength": 1e-8})
        for a in (1e6, -1e9)
    )
    unitary = 1.3**2 / (2 * np.pi * 0.01 * (0.8 * 1.3 / (2 * np.pi**2)) * (2 * np.pi / 0.8) ** 2)
    assert one.tau == pytest.approx(unitary, rel=1e-11)
    assert two.tau == pytest.approx(unitary, rel=1e-12)
    assert two.theta_skew < 0 < one.theta_skew


def test_cross_section_of_a_weak_impurity_is_that_of_the_born_approximation():
    # 1/(n l) = 4 pi a_s^2
    s = uf.materials.impurity_scattering(**GIVEN | {"scattering_length": 1e-6})
    assert 1 / (0.01 * s.l) == pytest.approx(4 * np.pi * 1e-12, rel=1e-11, abs=0)


def test_skew_scattering_changes_sign_with_the_scattering_length_and_the_side_jump_does_not():
    repulsive, attractive = (uf.materials.impurity_scattering(**GIVEN | {"scattering_length": a}) for a in (0.4, -0.4))
    assert repulsive.theta_skew == -attractive.theta_skew > 0
    assert repulsive.theta_side_jump == attractive.theta_side_jump > 0


@pytest.mark.parametrize(
    "change", [{"scattering_length": 1e200, "compton_wavelength": 0.0}, {"compton_wavelength": 1e-80}]
)
def test_extreme_values_give_the_limit_without_overflow(change):
    s = uf.materials.impurity_scattering(**GIVEN | change)
    assert np.isfinite([s.D, s.tau, s.theta, s.kappa]).all()
    assert s.tau_so == np.inf


def test_no_spin_orbit_coupling_no_spin_hall_effect():
    s = uf.materials.impurity_scattering(**GIVEN | {"compton_wavelength": 0.0})
    assert (s.theta, s.kappa, s.tau_so) == (0.0, 0.0, np.inf)


def test_a_graded_alloy_makes_a_material():
    mesh = uf.rectangle({"Pt": 1.0}, width=1.0, size=0.5)
    graded = uf.materials.impurity_scattering(**GIVEN | {"concentration": 0.01 * (1 + mesh.p[1])})
    device = uf.Device(mesh, {"Pt": uf.normal_metal(**graded.coefficients())})
    assert device.materials["Pt"].theta.shape == (mesh.nvertices,)
    assert isinstance(uf.materials.impurity_scattering(**GIVEN).coefficients()["D"], float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"concentration": 0.5}, "p_F l >> 1"),
        ({"compton_wavelength": 0.4}, "lambda p_F << 1"),
        ({"scattering_length": 1e3}, "first order"),
    ],
)
def test_where_the_theory_does_not_hold_there_is_a_warning(change, message):
    with pytest.warns(UserWarning, match=message):
        uf.materials.impurity_scattering(**GIVEN | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scattering_length": 0.0}, "scattering_length is 0.0"),
        ({"scattering_length": np.inf}, "resonant limit"),
        ({"compton_wavelength": -0.1}, "compton_wavelength is -0.1"),
        ({"fermi_momentum": 0.0}, "fermi_momentum is 0.0; allowed is a finite number > 0"),
        ({"concentration": np.array([0.01, -1.0])}, "concentration is -1.0"),
        ({"mass": np.nan}, "mass is nan"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        uf.materials.impurity_scattering(**GIVEN | change)
