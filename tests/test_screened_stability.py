"""The second variation of the free energy in gap and vector potential together, and solves that end in its minima."""

from dataclasses import replace

import numpy as np
import pytest
import skfem

import usadelfem as uf
from usadelfem.branches.stability import _reopened
from usadelfem.solve.field_space import FieldSpace

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells
SUM = {"quadrature": "plain", "cutoff_index": 3}
S = uf.superconductor(Tc=1.0)
ONE = uf.vortices([(0, 0, 1)])


def disc(field, refinements=2, metal=S):
    mesh = skfem.MeshTri1.init_circle(refinements).scaled(4.0)
    return uf.Device(mesh.with_subdomains({"S": lambda x: x[0] < np.inf}), {"S": metal}, B=field)


def ball():
    mesh = skfem.MeshTet1.init_ball(0).refined(1)
    mesh = mesh.with_subdomains({"S": lambda x: abs(x).sum(axis=0) < 0.5, "V": lambda x: abs(x).sum(axis=0) > 0.5})
    return uf.Device(mesh.scaled(4.0), {"S": S, "V": uf.materials.vacuum()}, B=(0.1, 0.0, 0.2))


def strip():
    ends = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=1.0)}
    return uf.Device(uf.rectangle({"S": 3.0}, 2.0, 1.0), {"S": S}, ends, B=0.1)


def magnet():
    metal = uf.superconductor(Tc=1.0, exchange=(0.1, 0, 0.2), rashba=0.3, theta=0.2)
    return disc(0.2, 1, metal)


def solve(device, depth=2.0, **options):
    own = {"order": 1, "screening": True, "penetration_depth": {"S": depth}, **SUM, **options}
    return uf.solve_equilibrium(device, 0.3, **own)


def fixed(eq):
    """The same solution with its magnetic field as a given one."""
    return replace(eq, induced=None, dofs=np.empty(0))


def directions(space, count):
    """Changes of both fields of similar size, in the space in which they are allowed."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        vector = space.raised(space.pure(rng.normal(size=space.size)))
        gap, potential = space.sizes(vector)
        vector[: len(space.root)] /= abs(gap).max()
        vector[len(space.root) :] /= abs(potential).max()
        yield vector


CASES = {
    "vortex in a disc": lambda: solve(disc(0.3), initial=ONE), "quadratic": lambda: solve(disc(0.3), order=2),
    "ball": lambda: solve(ball()), "magnet": lambda: solve(magnet()), "currents": lambda: solve(strip()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_second_variation_is_symmetric_and_the_second_difference_of_the_free_energy(case):
    eq = CASES[case]()
    here = _reopened(eq, "auto", 1)
    here.refresh()
    space, fields, total = FieldSpace(here), here.fields, here.pairing.weight.sum()
    x, y = directions(space, 2)
    of_x, of_y = space.curved(x), space.curved(y)
    assert y @ of_x == pytest.approx(x @ of_y, abs=1e-9 * np.sqrt((x @ of_x) * (y @ of_y)))

    def energy(step):
        here.place(fields + step * space.fields(x))
        here.settle(3e-12)
        return uf.free_energy(replace(eq, problem=here.problem, riccati=here.team.states.copy(), dofs=here.dofs))

    step = 0.02
    values = [energy(k * step) for k in (-3, -2, -1, 0, 1, 2, 3)]
    second = np.dot([2, -27, 270, -490, 270, -27, 2], values) / (180 * step**2)
    assert 0.5 * second == pytest.approx(total * (x @ of_x), rel=1e-6)


def test_eigenvalues_are_those_of_a_matrix_of_differences_of_the_forces_on_the_fields():
    eq = solve(disc(0.2, 1))
    here = _reopened(eq, "auto", 1)
    here.refresh()
    space, fields, step = FieldSpace(here), here.fields, 1e-3

    def force(vector):
        here.place(fields + space.fields(vector))
        here.settle(3e-12)
        return -space.force()

    product = np.stack([space.raised(space.pure(unit)) for unit in np.eye(space.size)], axis=1)
    sizes, basis = np.linalg.eigh(product)
    own = sizes > 1e-9 * sizes.max()
    vectors = (basis * np.sqrt(np.maximum(sizes, 0)))[:, own]  # orthonormal where the inverse product has 1 / sizes
    images = [(force(step * vector) - force(-step * vector)) / (2 * step) for vector in vectors.T]
    expected = np.linalg.eigvalsh(vectors.T @ np.stack(images, axis=1))
    assert expected[0] == pytest.approx(0.0, abs=1e-6)  # the common phase
    assert uf.stability(eq, count=6).values == pytest.approx(expected[1:7], abs=1e-5)


def test_with_a_long_penetration_depth_the_field_does_not_follow():
    eq = solve(disc(0.3), depth=300.0, initial=ONE)
    assert uf.stability(eq, count=3).values == pytest.approx(uf.stability(fixed(eq), count=3).values, abs=1e-6)
    short = solve(disc(0.3), initial=ONE)
    assert float(uf.stability(short, count=1)) < 0.9 * float(uf.stability(fixed(short), count=1))


@pytest.mark.filterwarnings("ignore:.*winding:UserWarning")
def test_a_vortex_that_its_field_holds_is_a_saddle_where_the_field_follows():
    # In a field of the other sense the vortex is held in the middle by the field that it makes for itself.
    eq = solve(disc(-0.04), initial=ONE)
    assert uf.stability(fixed(eq)).minimum
    saddle = uf.stability(eq)
    assert saddle.negative == 2
    assert saddle.values[:2] == pytest.approx([-0.00373, -0.00373], abs=2e-5)
    assert [abs(mode.quadrature).max() for mode in saddle.modes[:2]] == pytest.approx([1.0, 1.0])
    left = solve(disc(-0.04), initial=ONE, certify=True)
    assert left.saddles == 1
    assert len(left.sweeps) < 40
    assert uf.stability(left).minimum
    assert uf.vorticity(left).total == 0
    assert uf.free_energy(left) < uf.free_energy(eq) - 10


def test_the_field_of_a_mode_is_that_of_a_vortex_that_moves():
    field = uf.stability(solve(disc(-0.04), initial=ONE), count=1).field_modes[0]
    right, left, above, below = field.at([[0.8, -0.8, 0.0, 0.0], [0.0, 0.0, 0.8, -0.8]])
    largest = max(abs(right), abs(above))
    assert [right + left, above + below] == pytest.approx([0.0, 0.0], abs=0.1 * largest)
    assert abs(field.integral()) < 0.1 * largest


def test_descent_with_screening_finds_what_sweeps_find():
    descent, sweeps = (solve(disc(0.3), initial=ONE, method=method) for method in ("descent", "anderson"))
    assert uf.free_energy(descent) == pytest.approx(uf.free_energy(sweeps), rel=1e-10)
    assert descent.dofs == pytest.approx(sweeps.dofs, abs=1e-6)


def test_without_screening_fields_have_no_modes_and_with_currents_there_is_no_descent():
    eq = solve(strip())
    assert uf.stability(eq).minimum
    assert uf.stability(fixed(eq)).field_modes == ()
    with pytest.raises(ValueError, match="no currents through contacts of a plane; use 'anderson'"):
        solve(strip(), method="descent")


def test_workers_find_the_same_eigenvalues_of_gap_and_field():
    eq = solve(disc(0.3), initial=ONE)
    assert uf.stability(eq, workers=2).values == pytest.approx(uf.stability(eq).values, abs=1e-9)


def test_solutions_of_a_screened_branch_are_solutions_of_their_devices():
    mesh, options = disc(0.0).mesh, {"order": 1, "screening": True, "penetration_depth": 2.0, **SUM}

    def make(field):
        return uf.Device(mesh, {"S": S}, B=field)

    branch = uf.branch(make, "B", (0.2, 0.3), 0.3, step=0.05, states=True, **options)
    assert branch.parameters[[0, -1]] == pytest.approx([0.2, 0.3])
    eq, value = branch.equilibria[1], branch.parameters[1]
    again = uf.solve_equilibrium(make(value), 0.3, initial=eq, **options)
    assert uf.free_energy(again) == pytest.approx(branch.values[1], rel=1e-9)
    assert uf.magnetisation(again) == pytest.approx(uf.magnetisation(eq), rel=1e-6)


def test_a_state_that_expels_the_field_is_left_at_the_field_at_which_vortices_enter():
    # On the branch without vortices an eigenvalue of two modes vanishes at B = 0.457; no fold comes before.
    options = {"order": 1, "screening": True, "penetration_depth": 2.0, **SUM}
    below = uf.solve_equilibrium(disc(0.447), 0.3, **options)
    above = uf.solve_equilibrium(disc(0.462), 0.3, initial=below, **options)
    assert uf.vorticity(above).total == 0
    assert uf.stability(below, count=1).minimum
    assert uf.stability(above, count=1).negative == 2
