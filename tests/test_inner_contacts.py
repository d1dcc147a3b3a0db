"""An electrode inside a film takes up current from all sides."""

from dataclasses import replace

import numpy as np
import pytest

import usadelfem as uf


def film(dim, ends):
    """A film or a box with the facet set wire at x = 1, from wall to wall or ending inside."""
    mesh = uf.rectangle({"N": 2.0}, width=1.0, size=0.1) if dim == 2 else uf.box({"N": 2.0}, 1.0, 1.0, size=0.5)
    x = mesh.p[:, mesh.facets]
    middle = x.mean(axis=1)
    wire = np.all(abs(x[0] - 1.0) < 1e-9, axis=0) & (np.all((middle[1:] > ends) & (middle[1:] < 1 - ends), axis=0))
    return replace(mesh, _boundaries={**mesh.boundaries, "wire": np.flatnonzero(wire)})


NORMAL = {"left": uf.NormalContact(potential=1.0), "wire": uf.NormalContact(), "right": uf.NormalContact()}
SUPER = {name: uf.Reservoir(gap=1.0, phase=phase) for name, phase in (("left", 0.0), ("wire", 1.0), ("right", 2.0))}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("dim", "ends"), [(2, 0.2), (2, 0.0), (3, 0.2)])
def test_normal_currents_of_all_contacts_add_up_to_zero(dim, ends, order):
    device = uf.Device(film(dim, ends), {"N": uf.normal_metal()}, NORMAL)
    current = uf.charge_current(uf.solve_normal_state(device, order=order))
    flows = [current.through(name) for name in NORMAL]
    assert flows[1] > 0.5
    assert sum(flows) == pytest.approx(0.0, abs=1e-9)


def test_supercurrents_of_all_contacts_add_up_to_zero():
    eq = uf.solve_equilibrium(uf.Device(film(2, 0.2), {"N": uf.normal_metal()}, SUPER), 0.2)
    for current in (uf.charge_current(eq), uf.charge_current(uf.solve_spectrum(eq, [0.4], broadening=0.1))[0]):
        flows = [current.through(name) for name in SUPER]
        assert min(map(abs, (flows[0], flows[2]))) > 1e-3
        assert sum(flows) == pytest.approx(0.0, abs=1e-8)


def test_a_wire_from_wall_to_wall_shields_what_is_behind_it():
    # left to wire is a bar of length 1 and width 1 with conductivity 2 N0 D = 2
    current = uf.charge_current(uf.solve_normal_state(uf.Device(film(2, 0.0), {"N": uf.normal_metal()}, NORMAL)))
    assert current.through("wire") == pytest.approx(2.0, rel=1e-9)
    assert current.through("right") == pytest.approx(0.0, abs=1e-9)


def test_what_is_fed_in_inside_a_film_comes_out_at_its_ends():
    contacts = {"left": uf.NormalContact(), "wire": uf.CurrentContact(current=0.7), "right": uf.NormalContact()}
    current = uf.charge_current(uf.solve_normal_state(uf.Device(film(2, 0.2), {"N": uf.normal_metal()}, contacts)))
    assert current.through("wire") == pytest.approx(-0.7, rel=1e-9)
    assert current.through("left") == pytest.approx(0.35, rel=1e-9)  # the two halves are alike
    assert current.through("right") == pytest.approx(0.35, rel=1e-9)


def test_a_direction_across_an_electrode_is_refused():
    current = uf.charge_current(uf.solve_normal_state(uf.Device(film(2, 0.2), {"N": uf.normal_metal()}, NORMAL)))
    with pytest.raises(uf.errors.ObservableError, match=r"'wire' is a contact inside .* leave out into=\(1, 0\)"):
        current.through("wire", into=(1, 0))
    assert current.through("wire", into="N") == -current.through("wire")
