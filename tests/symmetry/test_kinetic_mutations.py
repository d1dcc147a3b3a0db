"""Wrong terms of the kinetic equation that conserve charge and energy are seen by Onsager's relations.

The matrix of the whole equation is made of explicit 8x8 matrices, in which a formula can be changed by itself, with the
retarded states left as they are.
"""

from types import SimpleNamespace

import keldysh
import numpy as np
import oracle
import pytest
from keldysh import MODES, covariant
from onsager import CHARGE_AND_ENERGY, onsager_error, square
from oracle import TAU3

import usadelfem as uf
from usadelfem.nonequilibrium.responses import Responses

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning"),
    pytest.mark.filterwarnings("ignore:the energies, from:UserWarning"),
]

W = 1e-3 - 6.0j  # Gamma - iE, the first energy of the squares
ENERGY = 0
TORQUE = {"torque with the other sign": -1.0, "no torque": 0.0}  # times that
CHANGES = [*TORQUE, "vertex s_a in the current", "theta with the other sign"]


def retarded(problem, state, spins, potential):
    """R and D_k R at all quadrature points, shapes (points, 4, 4) and (2, points, 4, 4); and the basis functions with
    their gradients, (cells, points of a cell, functions, 3), the value last.
    """
    space = problem.space
    slopes = np.einsum("qim,eqmk->eqik", space.dphi, np.broadcast_to(space.inverse, (*space.dx.shape, 2, 2)))
    basis = np.concatenate([slopes, np.broadcast_to(space.phi[..., None], (*slopes.shape[:3], 1))], axis=-1)
    nodal = state[space.cells].reshape(*space.cells.shape, 2, 2, 2)  # a and b
    fields = np.einsum("eqio,eizab->oeqzab", basis, nodal).reshape(3, -1, 2, 2, 2)
    r = np.array([oracle.green(*both) for both in fields[2]])
    dr = [
        [oracle.green_derivative(*both, *slope) for both, slope in zip(fields[2], along, strict=True)]
        for along in fields[:2]
    ]
    return r, covariant(r, np.array(dr), spins[:, None] + potential[:, None, None, None] * TAU3), basis


def kinetic_blocks(neq, change=None):
    """The blocks of the kinetic matrix at W, from explicit matrices: every mode with a unit gradient or value."""
    problem, metal = neq.problem, neq.device.materials["F"]
    spins = keldysh.spin_fields(metal.su2)
    r, dr, basis = retarded(problem, neq.spectrum.states[0], spins, np.array(neq.device.A))
    theta = metal.theta * (-1.0 if change == "theta with the other sign" else 1.0)
    units = np.eye(3)[:, :, None, None, None, None] * MODES[:, None]  # of what, in which place, mode, point
    h, dh = units[:, 2], covariant(units[:, 2], units[:, :2].swapaxes(0, 1), spins[:, None, None, None])
    g, dg = keldysh.green_and_derivatives(r, dr, h, dh)
    eps = oracle.levi_civita()[:2, :2]
    current, torque = keldysh.current_and_torque(
        g, dg, metal.D, theta * eps, metal.kappa * eps, projected=change != "vertex s_a in the current"
    )
    fields = {"gap": 0.0, "exchange": metal.exchange, "rate_so": 1 / metal.tau_so, "rate_sf": 0.0, "depairing": 0.0}
    energies = keldysh.energies(W, g, h, **fields)
    local = keldysh.commutator(energies, g) - TORQUE.get(change, 1.0) * torque
    rows = keldysh.weak_form(current, local, spins).reshape(3, 3, 8, *problem.space.dx.shape, 8)
    matrices = np.einsum("eq,eqio,eqjn,onceqr->eijrc", problem.space.dx, basis, basis, rows, optimize=True)
    pattern = neq.kinetic.pattern
    blocks = np.zeros((len(pattern.indices), 8, 8))
    np.add.at(blocks, pattern.cells, matrices)
    return blocks


def conductances(neq, change):
    """The conductances (terminals, 8, terminals, 8) at W that the matrix of explicit matrices gives."""
    kinetic, blocks = neq.kinetic, kinetic_blocks(neq, change)
    responses = Responses(neq.problem)
    vars(responses)["kinetic"] = SimpleNamespace(
        problem=kinetic.problem, pattern=kinetic.pattern, modes=kinetic.modes, blocks=lambda w, state: blocks
    )
    order = [0, 4, 1, 2, 3, 5, 6, 7]  # that of conductance_matrix
    found = responses.solve(W, neq.spectrum.states[0]).conductance
    return found[:, order][:, :, :, order]


@pytest.fixture(scope="module")
def pair():
    return [square(direction, 0.2) for direction in (1, -1)]


@pytest.fixture(scope="module")
def error_of_the_mesh(pair):
    return onsager_error(*(conductances(neq, None) for neq in pair))


def test_the_kinetic_matrix_of_a_square_is_that_of_explicit_matrices(pair):
    for neq in pair:
        blocks = neq.kinetic.blocks(W, neq.spectrum.states[0])
        assert kinetic_blocks(neq) == pytest.approx(blocks, abs=1e-12 * abs(blocks).max())
        assert conductances(neq, None) == pytest.approx(uf.conductance_matrix(neq).values[0], abs=1e-11)


@pytest.mark.parametrize("change", CHANGES)
def test_onsager_sees_what_conservation_of_charge_and_energy_does_not(pair, error_of_the_mesh, change):
    wrong = [conductances(neq, change) for neq in pair]
    assert abs(wrong[0][:, CHARGE_AND_ENERGY].sum(axis=0)).max() < 1e-12 * abs(wrong[0]).max()
    error = onsager_error(*wrong)
    assert error.max() > 8 * error_of_the_mesh.max()
    assert error[ENERGY, ENERGY] > 2.5 * error_of_the_mesh[ENERGY, ENERGY]
