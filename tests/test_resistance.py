"""Normal-state resistance through barriers of any strength: Ohm's law to all digits."""

import numpy as np
import pytest

import usadelfem as uf

N = uf.normal_metal()
ENDS = {"left": uf.Reservoir(gap=0.0), "right": uf.Reservoir(gap=0.0)}
MESHES = {
    "line": uf.interval({"N": 1.0, "M": 1.0}, size=0.1),
    "triangles": uf.rectangle({"N": 1.0, "M": 1.0}, width=0.5, size=0.25),
    "hexahedra": uf.box({"N": 1.0, "M": 1.0}, width=0.5, height=1.0, size=0.5, cell="hexahedron"),
}
AREA = {"line": 1.0, "triangles": 0.5, "hexahedra": 0.5}


def barrier(mesh, conductance):
    return uf.Device(mesh, {"N": N, "M": N}, ENDS, {"N_M": uf.Tunnel(conductance=conductance)})


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("exponent", [3, 0, -3, -6, -9, -10, -12, -20, -50, -100, -200, -300])
def test_two_wires_and_a_barrier_in_series(name, order, exponent):
    expected = (1 + 10.0**-exponent) / AREA[name]  # two wires of length 1 with sigma = 2
    assert uf.normal_resistance(barrier(MESHES[name], 10.0**exponent), "left", "right", order=order) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("size", [0.25, 0.05, 0.01])
def test_the_mesh_does_not_decide_whether_there_is_a_current(size):
    mesh = uf.interval({"N": 1.0, "M": 1.0}, size=size)
    assert uf.normal_resistance(barrier(mesh, 1e-12), "left", "right") == pytest.approx(1e12, rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_barriers_of_any_strengths_in_series_add_up(seed):
    g = 10.0 ** np.random.default_rng(seed).uniform(-90, 6, 5)
    mesh = uf.rectangle({"a": 1.0, "b": 1.0, "c": 1.0}, width=0.5, size=0.5)
    contacts = {
        "left": uf.Reservoir(gap=0.0, barrier=uf.Tunnel(conductance=g[0])),
        "right": uf.Reservoir(gap=0.0, barrier=uf.Tunnel(conductance=g[1])),
        "top": uf.Reservoir(gap=0.0, barrier=uf.Tunnel(conductance=1.0)),  # floats
    }
    between = {"a_b": uf.Tunnel(conductance=g[2]), "b_c": uf.Tunnel(conductance=g[3])}
    device = uf.Device(mesh, dict.fromkeys("abc", N), contacts, between)
    expected = (1.5 + (1 / g[:4]).sum()) / 0.5
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weak", [1e-3, 1e-30, 1e-200])
def test_two_barriers_side_by_side_conduct_together(weak):
    mesh = uf.rectangle({"N": 1.0, "M": 1.0}, width=1.0, size=0.25, cell="quad")
    device = barrier(mesh, lambda x: weak * np.where(x[1] < 0.5, 1.0, 3.0))
    # the wires are equipotential to 1e-3; each half carries its own current
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(1 / (2 * weak) + 1, rel=max(1e-9, 2 * weak))


@pytest.mark.parametrize("g", [1e-4, 1e-40, 1e-250])
def test_a_star_of_barriers_around_an_island(g):
    # from the left over the island to the right, and to a third piece that carries no current
    mesh = uf.rectangle({"a": 1.0, "b": 1.0, "c": 1.0}, width=1.0, size=0.5, cell="quad")
    top = {"top": uf.Reservoir(gap=0.0, barrier=uf.Tunnel(conductance=1e-9))}
    device = uf.Device(mesh, dict.fromkeys("abc", N), {**ENDS, **top}, {
        "a_b": uf.Tunnel(conductance=g), "b_c": uf.Tunnel(conductance=3 * g),
    })  # fmt: skip
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(4 / (3 * g) + 1.5, rel=1e-9)


@pytest.mark.parametrize("conductance", [0.0, lambda x: 0 * x[0]])
def test_a_barrier_that_does_not_conduct_separates(conductance):
    with pytest.raises(uf.errors.DeviceError, match="'left' and 'right' are not connected"):
        uf.normal_resistance(barrier(MESHES["triangles"], conductance), "left", "right")


def test_a_barrier_with_a_pinhole_conducts():
    device = barrier(MESHES["triangles"], lambda x: np.where(x[1] < 0.25, 1e-150, 0.0))
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(4e150, rel=1e-9)
