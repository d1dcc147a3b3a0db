"""Derivatives in laboratory units, and what is refused: parameters that do not exist, results without derivatives."""


import numpy as np
import pytest
from remainders import check

import usadelfem as uf
from usadelfem.errors import DeviceError, ObservableError

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells


def device(left=None, between=None, **metal):
    mesh = uf.interval({"S": 0.5, "F": 1.0}, size=0.25)
    materials = {"S": uf.superconductor(gap=1.0), "F": uf.ferromagnet(**{"exchange": (0, 0, 0.5), **metal})}
    contacts = {"left": left or uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.1)}
    return uf.Device(mesh, materials, contacts, {} if between is None else {("S", "F"): between})


def solve(own):
    return uf.solve_equilibrium(own, 0.2, order=1, frequencies=2, progress=False)


@pytest.fixture(scope="module")
def eq():
    return solve(device())


@pytest.fixture
def lab():
    with uf.lab(current="nA", length="um", field="mT") as units:
        yield units


def bridge(D=150.0, h=0.4, conductance=100.0, gap=1.0, tau_so=0.5, **fields):
    """A ferromagnetic bridge of 0.2 um: cm^2/s, meV, S/um^2, meV, ps."""
    metal = uf.ferromagnet(D=D, N0=10.0, exchange=(0, 0, h), tau_so=tau_so)
    ends = {"left": uf.Reservoir(1.0, barrier=uf.Tunnel(conductance)), "right": uf.Reservoir(gap, 1.0)}
    return uf.Device(uf.interval({"F": 0.2}, size=0.04), {"F": metal}, ends, area=1e-2, **fields)


def numbers(eq):
    return {
        "current": uf.charge_current(eq).through("right") * np.ones(1),
        "energy": uf.free_energy(eq) * np.ones(1),
        "spin density": uf.spin_density(eq).integral(),
    }


LAB = {
    "cm^2/s": (lambda p: bridge(D=150 + p), {("F", "D"): 1.0}, 30.0),
    "meV": (lambda p: bridge(h=0.4 + p), {("F", "exchange"): (0, 0, 1)}, 0.5),
    "S/um^2": (lambda p: bridge(conductance=100 + p), {("left", "conductance"): 1.0}, 30.0),
    "meV of a gap": (lambda p: bridge(gap=1.0 + p), {("right", "gap"): 1.0}, 0.5),
    "ps": (lambda p: bridge(tau_so=0.5 + p), {("F", "tau_so"): 1.0}, 0.3),
    "mT um": (lambda p: bridge(A=(p,)), {"A": (1.0,)}, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("unit", LAB)
def test_derivatives_are_per_unit_of_the_device(unit, lab):
    build, parameters, size = LAB[unit]
    check(lambda p: solve_cold(build(p)), parameters, observe=numbers, size=size)


def solve_cold(own, temperature=1.5):
    return uf.solve_equilibrium(own, temperature, order=1, frequencies=3, progress=False)


def test_derivatives_are_per_kelvin(lab):
    check(lambda p: solve_cold(bridge(), 1.5 + p), {"temperature": 1.0}, observe=numbers, size=0.5)


def test_a_rate_may_be_a_quantity(lab):
    own = solve_cold(bridge())
    one, two = (
        uf.charge_current(uf.derivative(own, {("F", "D"): rate})).through("right")
        for rate in (1.0, 1e-4 * lab.m**2 / lab.s)
    )
    assert one == pytest.approx(two, rel=1e-12)


def test_sensitivities_are_per_unit_of_the_device(lab):
    own = solve_cold(bridge())
    s = uf.sensitivity(uf.charge_current(own).through("right"))
    for name, parameter, rate in (
        ("D", ("F", "D"), 1.0), ("exchange", ("F", "exchange"), (0, 0, 1)), ("N0", ("F", "N0"), 1.0)
    ):  # fmt: skip
        slope = uf.charge_current(uf.derivative(own, {parameter: rate})).through("right")
        assert s.along({parameter: rate}) == pytest.approx(slope, rel=1e-9)
        total = np.atleast_1d(s[name].integral("F"))[-1]
        assert total == pytest.approx(slope, rel=1e-9)
        assert s.nodal("F", name).reshape(-1, own.device.mesh.nvertices)[-1].sum() == pytest.approx(slope, rel=1e-9)


def test_a_parameter_that_does_not_exist_names_those_that_do(eq):
    with pytest.raises(DeviceError, match=r"no parameter \('F', 'd'\); allowed are 'A', 'B', 'temp.* of S, F.*D"):
        uf.derivative(eq, {("F", "d"): 1.0})
    with pytest.raises(DeviceError, match="contact of left, right and a coefficient of phase"):
        uf.derivative(eq, {("top", "phase"): 1.0})


@pytest.mark.parametrize("given", [{}, None, [("F", "D")], ("F", "D")])
def test_parameters_are_a_mapping(eq, given):
    with pytest.raises(DeviceError, match="allowed is a mapping"):
        uf.derivative(eq, given)


@pytest.mark.parametrize("rate", ["1", None, [1, 2], np.nan, 1j])
def test_a_rate_that_is_none_is_refused(eq, rate):
    with pytest.raises(DeviceError, match="rate of D of region 'F'"):
        uf.derivative(eq, {("F", "D"): rate})


REFUSED = {
    "transparent interface": (
        lambda: device(between=uf.Transparent()), (("S", "F"), "conductance"), "transparent contact"
    ),
    "no barrier": (device, ("right", "conductance"), "no barrier"),
    "infinite time": (device, ("F", "tau_so"), "infinite; vary rate_so"),
    "Tc": (device, ("F", "Tc"), "has no Tc"),
    "relaxation": (device, ("F", "inelastic_rate"), "take a spectrum"),
    "polarisation of channels": (
        lambda: device(between=uf.Nazarov(conductance=1.0, transparencies=[0.5])), (("S", "F"), "polarization"),
        "do not filter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_depends_on_is_refused(case):
    build, parameter, words = REFUSED[case]
    with pytest.raises(DeviceError, match=words):
        uf.derivative(solve(build()), {parameter: 1.0})


def test_the_gap_of_a_bulk_reservoir_and_an_unknown_gap_are_no_parameters():
    mesh = uf.interval({"S": 1.0}, size=0.25)
    ends = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=0.5)}
    own = solve(uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, ends))
    with pytest.raises(DeviceError, match="vary the Tc"):
        uf.derivative(own, {("left", "gap"): 1.0})
    with pytest.raises(DeviceError, match=r"unknown.*vary its Tc"):
        uf.derivative(own, {("S", "gap"): 1.0})


def test_an_interface_and_a_region_of_one_name_are_told_apart():
    mesh = uf.interval({"left": 1.0}, size=0.25)
    metal = {"left": uf.superconductor(gap=1.0)}
    own = uf.Device(mesh, metal, {"left": uf.Reservoir(0.9), "right": uf.Reservoir(1, 2)})
    known = solve(own)
    with pytest.raises(DeviceError, match=r"a region and a contact: say which, \('region', 'left', 'gap'\)"):
        uf.derivative(known, {("left", "gap"): 1.0})
    slopes = [
        uf.charge_current(uf.derivative(known, {(kind, "left", "gap"): 1.0})).through("right")
        for kind in ("region", "contact")
    ]
    assert slopes[0] != pytest.approx(slopes[1])


def test_a_vector_potential_and_a_field_exclude_each_other():
    mesh = uf.rectangle({"F": 1.0}, size=0.5)
    ends = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
    for given, other in (({"A": (0.1, 0)}, {"B": 1.0}), ({"B": 0.1}, {"A": (1.0, 0)})):
        own = solve(uf.Device(mesh, {"F": uf.normal_metal()}, ends, **given))
        with pytest.raises(DeviceError, match="cannot be varied"):
            uf.derivative(own, other)


def test_other_things_than_results_are_refused(eq):
    with pytest.raises(TypeError, match="Equilibrium"):
        uf.derivative(eq.device, {("F", "D"): 1.0})


def test_a_spectrum_knows_no_temperature(eq):
    spec = uf.solve_spectrum(device(), [0.5], broadening=0.1, order=1, progress=False)
    with pytest.raises(DeviceError, match="no temperature"):
        uf.derivative(spec, {"temperature": 1.0})


def test_windings_have_no_derivative():
    mesh = uf.rectangle({"F": 1.0}, size=0.5)
    own = solve(uf.Device(mesh, {"F": uf.normal_metal()}, {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}))
    with pytest.raises(ObservableError, match="vorticity has no derivative: it counts windings"):
        uf.vorticity(uf.derivative(own, {("F", "D"): 1.0}))
