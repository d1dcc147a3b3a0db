"""How a critical temperature is found: few evaluations, the highest root, the same by every way to the eigenvalue."""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.solve import pairing_mode
from usadelfem.study import critical


def bilayer(length=1.2, exchange=(0, 0, 8.0)):
    mesh = uf.interval({"S": length, "F": 0.3}, size=0.1)
    materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=exchange)}
    return uf.Device(mesh, materials, interfaces={"S_F": uf.Tunnel(conductance=3.0)})


def test_a_critical_temperature_takes_few_evaluations_of_the_eigenvalue(monkeypatch):
    seen = []

    def counted(device, temperature, *arguments, **options):
        seen.append(temperature)
        return pairing_mode.lowest_mode(device, temperature, *arguments, **options)

    monkeypatch.setattr(critical, "lowest_mode", counted)
    found = float(uf.critical_temperature(bilayer()))
    assert 0.2 < found < 0.9
    assert len(seen) <= 5
    assert uf.study.stability(bilayer(), found) == pytest.approx(0, abs=2e-7)


@pytest.mark.parametrize("limits", [{"RESPONSES": 0}, {"DENSE": 0}, {"RESPONSES": 0, "DENSE": 0}])
def test_the_lowest_mode_is_the_same_from_all_responses_and_from_a_search(limits, monkeypatch):
    device, start = bilayer(exchange=(3.0, 4.0, 5.0)), None
    value, mode = pairing_mode.lowest_mode(device, 0.6)
    for name, limit in limits.items():
        monkeypatch.setattr(pairing_mode, name, limit)
    for _ in range(2):  # from nothing, then from itself
        other, start = pairing_mode.lowest_mode(device, 0.6, start)
        assert other == pytest.approx(value, abs=1e-11)
        overlap = abs(np.vdot(mode, start)) / np.linalg.norm(mode) / np.linalg.norm(start)
        assert overlap == pytest.approx(1, abs=1e-10)


def test_a_search_from_a_mode_of_another_symmetry_finds_the_lowest(monkeypatch):
    monkeypatch.setattr(pairing_mode, "DENSE", 0)
    device = uf.Device(uf.interval({"S": 6.0}, size=0.1), {"S": uf.superconductor(Tc=1.0)})
    value, mode = pairing_mode.lowest_mode(device, 0.5)
    odd = np.linspace(-1, 1, mode.size).reshape(mode.shape).astype(complex)
    assert pairing_mode.lowest_mode(device, 0.5, odd)[0] == pytest.approx(np.log(0.5), abs=1e-9)
    assert value == pytest.approx(np.log(0.5), abs=1e-9)


def counted_root(function, precision=1e-9):
    seen = []

    def eigenvalue(place):
        seen.append(place)
        return function(place)

    return critical._highest_root(eigenvalue, precision), len(seen)


@pytest.mark.parametrize("power", [0.3, 1.0, 3.0])
def test_the_highest_root_is_found_whatever_the_curvature(power):
    root, count = counted_root(lambda x: ((x + 2.0) / 1.3) ** power - 1.0 if x > -2 else -1.0)
    assert root == pytest.approx(-0.7, abs=1e-8)
    assert count < 20


def test_of_several_transitions_the_highest_is_found():
    # superconducting in -1.9 < ln T < -1.0 and below -3
    root, _ = counted_root(lambda x: 0.05 * (x + 1.0) * (x + 1.9) * (x + 3.0))
    assert root == pytest.approx(-1.0, abs=1e-8)


@pytest.mark.parametrize("least", [0.3, 1e-2, 1e-4])
def test_an_eigenvalue_that_stays_positive_has_no_root(least):
    root, count = counted_root(lambda x: least + 0.2 * (x + 1.5) ** 2)
    assert root is None
    assert count < 60


def test_a_root_is_found_in_noise_above_the_precision():
    noise = np.random.default_rng(3)
    root, count = counted_root(lambda x: x + 0.6 + 1e-7 * noise.normal(), 1e-12)
    assert root == pytest.approx(-0.6, abs=1e-6)
    assert count <= critical.MOST
