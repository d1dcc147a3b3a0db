"""Interfaces and barriers: one error for every kind of bad input, saying where, what was given and what is allowed."""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import DeviceError, ObservableError

MESH = uf.rectangle({"A": 1.0, "B": 1.0, "C": 1.0}, size=0.5)
N, TUNNEL = uf.normal_metal(), uf.Tunnel(conductance=1.0)
METALS = dict.fromkeys("ABC", N)


def device(interfaces, contacts=None, mesh=MESH, materials=METALS):
    return uf.Device(mesh, materials, contacts or {}, interfaces)


def barrier_with(**values):
    return uf.SpinActive(**{"conductance": 1.0} | values)


# Where an interface lies


def test_an_unknown_facet_set_is_named_with_the_known_ones():
    with pytest.raises(DeviceError, match=r"interface.* 'A_b'.*; it has: A_B, B_C, bottom, left"):
        device({"A_b": TUNNEL})


def test_an_unknown_region_is_named_with_the_known_ones():
    with pytest.raises(DeviceError, match=r"interface \('A', 'X'\): no region 'X'; it has: A, B, C"):
        device({("A", "X"): TUNNEL})


@pytest.mark.parametrize("key", [("A", "C"), "A_C"])
def test_regions_that_do_not_touch_have_no_interface(key):
    with pytest.raises(DeviceError, match="the regions 'A' and 'C' do not touch"):
        device({key: TUNNEL})


@pytest.mark.parametrize("key", [("A", "A"), ("A", "B", "C"), 3])
def test_a_key_is_a_facet_set_or_a_pair_of_two_regions(key):
    with pytest.raises(DeviceError, match="allowed are the name of a facet set and a pair of two regions"):
        device({key: TUNNEL})


def test_an_empty_facet_set_is_named():
    with pytest.raises(DeviceError, match="interface 'nowhere' has no facets"):
        device({"nowhere": TUNNEL}, mesh=MESH.with_boundaries({"nowhere": lambda x: x[0] > 99}))


def test_interfaces_are_given_as_a_mapping():
    with pytest.raises(DeviceError, match="allowed is a mapping from facet sets or pairs of regions to Tunnel"):
        device([TUNNEL])


@pytest.mark.parametrize("value", [1.0, uf.Tunnel, uf.Reservoir(1.0), None])
def test_an_interface_of_another_type_is_named(value):
    with pytest.raises(DeviceError, match=r"'A_B' is given .*; allowed is Transparent, Tunnel, SpinActive"):
        device({"A_B": value})


def test_a_facet_has_one_interface():
    with pytest.raises(DeviceError, match=r"interface \('B', 'A'\) shares 2 facets with 'A_B'"):
        device({"A_B": TUNNEL, ("B", "A"): barrier_with()})


def test_an_interface_on_a_contact_points_to_the_barrier_of_the_reservoir():
    with pytest.raises(DeviceError, match=r"'left' shares 2 facets .*is Reservoir\(..., barrier=...\)"):
        device({"left": TUNNEL}, {"left": uf.Reservoir(1.0)})


@pytest.mark.parametrize("barrier", [TUNNEL, uf.Nazarov(conductance=1.0, transparencies=[1.0]), barrier_with()])
def test_a_barrier_that_conducts_does_not_lie_on_the_outer_boundary(barrier):
    with pytest.raises(DeviceError, match=r"'top' lies on the outer boundary: allowed there is SpinActive"):
        device({"top": barrier})


def test_the_boundary_to_vacuum_is_an_outer_boundary():
    materials = {"A": N, "B": N, "C": uf.materials.vacuum()}
    with pytest.raises(DeviceError, match="'B_C' lies on the outer boundary"):
        device({"B_C": TUNNEL}, materials=materials)
    device({"B_C": barrier_with(conductance=0.0, mixing=1.0)}, materials=materials)


# Values


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "high", None, 1j])
@pytest.mark.parametrize(
    ("kind", "others"), [(uf.Tunnel, {}), (uf.SpinActive, {}), (uf.Nazarov, {"transparencies": 1})]
)
def test_the_conductance_is_a_finite_number_that_is_not_negative(kind, others, value):
    with pytest.raises(DeviceError, match=r"conductance is .*; allowed is a real number >= 0, finite"):
        kind(conductance=value, **others)


def test_values_of_a_barrier_are_keywords_unless_there_is_only_one():
    assert repr(uf.Tunnel(1.0)) == repr(uf.Tunnel(conductance=1.0)) == "Tunnel(conductance=1.0)"
    for kind in (uf.SpinActive, uf.Nazarov):
        with pytest.raises(TypeError):
            kind(1.0)
    with pytest.raises(TypeError, match="conductance"):
        uf.Tunnel()


@pytest.mark.parametrize("value", [1.01, -2.0, np.nan])
def test_the_polarization_lies_between_minus_one_and_one(value):
    with pytest.raises(DeviceError, match=r"polarization is .*; allowed is a real number between -1 and 1"):
        barrier_with(polarization=value)


@pytest.mark.parametrize("value", [np.inf, 1j, [[1.0, 2.0]]])
def test_the_mixing_is_a_finite_real_number(value):
    with pytest.raises(DeviceError, match="SpinActive: mixing"):
        barrier_with(mixing=value)


@pytest.mark.parametrize("value", [(0, 0, 0), (np.nan, 0, 1), (0, 1), 1.0, "up"])
def test_the_magnetization_is_a_direction_of_three_components(value):
    with pytest.raises(DeviceError, match="SpinActive: magnetization"):
        barrier_with(magnetization=value)


@pytest.mark.parametrize("value", [1.2, 0.0, -0.5, [0.5, 1.5], [], [np.nan], [[0.5]], None, [1j], ["high"], {0.5}])
def test_transparencies_lie_between_zero_and_one(value):
    with pytest.raises(DeviceError, match=r"Nazarov: transparencies is .*; allowed are numbers 0 < tau <= 1"):
        uf.Nazarov(conductance=1.0, transparencies=value)


def test_an_unknown_distribution_is_named_with_the_known_ones():
    with pytest.raises(DeviceError, match="'difuse'; known distributions are diffusive, dirty_interface, ch"):
        uf.Nazarov(conductance=1.0, transparencies="difuse")


def undefined(tau):
    raise KeyError("tau")


@pytest.mark.parametrize("density", [np.negative, np.zeros_like, lambda tau: np.inf * tau, lambda tau: 1.0, undefined])
def test_a_density_of_channels_that_is_none_is_reported_with_its_interface(density):
    contact = uf.Nazarov(conductance=1.0, transparencies=density)
    with pytest.raises(DeviceError, match=r"interface 'A_B': .*transparencies"):
        uf.solve_equilibrium(device({"A_B": contact}), 0.1)


CALLABLES = {
    "negative": (lambda x: -x[0], "conductance is -1.0; allowed is a real number >= 0"),
    "shape": (lambda x: 1.0, r"conductance\(x\) returned shape \(\)"),
    "failing": (lambda x: x[5], r"calling conductance\(x\) .* raised IndexError"),
    "nodal": (np.ones(MESH.nvertices), "conductance is an array of shape .*; allowed here: a number or a callable"),
}


@pytest.mark.parametrize("name", CALLABLES)
def test_a_value_that_varies_is_checked_on_the_interface_when_the_device_is_made(name):
    value, message = CALLABLES[name]
    with pytest.raises(DeviceError, match=f"interface 'A_B': {message}"):
        device({"A_B": uf.Tunnel(conductance=value)})


def test_a_direction_that_vanishes_somewhere_is_found_when_the_device_is_made():
    turned = barrier_with(magnetization=lambda x: np.array([x[1], 0 * x[1], 0 * x[1]]))
    with pytest.raises(DeviceError, match=r"interface 'A_B': magnetization is 0.0; allowed is .* not all zero"):
        device({"A_B": turned})


# Barriers towards reservoirs


@pytest.mark.parametrize("value", [1.0, uf.Tunnel, "tunnel"])
def test_a_barrier_of_another_type_is_named(value):
    with pytest.raises(DeviceError, match=r"reservoir: barrier is .*; allowed are Tunnel, SpinActive, Nazarov"):
        uf.Reservoir(1.0, barrier=value)


def test_a_contact_with_a_barrier_lies_on_the_outer_boundary():
    mesh = MESH.with_boundaries({"middle": lambda x: x[0] == 1.0}, boundaries_only=False)
    with pytest.raises(DeviceError, match="contact 'middle' lies inside the mesh: a barrier needs the outer"):
        device({}, {"middle": uf.Reservoir(1.0, barrier=TUNNEL)}, mesh)


def test_a_value_of_the_barrier_of_a_reservoir_is_checked_on_its_contact():
    barrier = barrier_with(polarization=lambda x: 2 + 0 * x[0])
    with pytest.raises(DeviceError, match=r"barrier of reservoir 'left': polarization is 2\.0; allowed is"):
        device({}, {"left": uf.Reservoir(1.0, barrier=barrier)})


# What does not know barriers


def test_the_normal_state_knows_no_barriers():
    with pytest.raises(DeviceError, match="solve_normal_state knows transparent interfaces only"):
        uf.solve_normal_state(device({"A_B": TUNNEL}, {"left": uf.NormalContact(potential=1.0)}))
    uf.solve_normal_state(device({"A_B": uf.Transparent()}, {"left": uf.NormalContact(potential=1.0)}))


@pytest.mark.parametrize("at_contact", [False, True])
def test_there_is_no_resistance_through_a_barrier_without_conductance(at_contact):
    insulator = uf.Tunnel(conductance=0.0)
    left = uf.Reservoir(1.0, barrier=insulator if at_contact else None)
    cut = device({} if at_contact else {"A_B": insulator}, {"left": left, "right": uf.Reservoir(1.0)})
    with pytest.raises(DeviceError, match="'left' and 'right' are not connected"):
        uf.normal_resistance(cut, "left", "right")


def test_a_flux_through_an_unknown_pair_of_regions_names_the_known_ones():
    current = uf.charge_current(uf.solve_equilibrium(device({"A_B": TUNNEL}), 0.1, frequencies=1))
    with pytest.raises(ObservableError, match="no region 'X'; it has: A, B, C"):
        current.through(("A", "X"))
