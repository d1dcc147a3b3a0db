"""The kinetic equation at points of a cell and of an interface against explicit 8x8 matrices."""

from dataclasses import replace

import keldysh
import numpy as np
import oracle
import pytest
import skfem
from keldysh import KINDS, MODES, covariant
from oracle import TAU3

import usadelfem as uf
from usadelfem.fem.problem import build_problem
from usadelfem.nonequilibrium.kinetic import Kinetic

W = 0.1 - 0.7j  # Gamma - iE
CORNERS = {2: [[0, 1.2, 0.3], [0, 0.1, 0.9]], 3: [[0, 1.2, 0.3, -0.2], [0, 0.1, 0.9, 0.1], [0, 0, 0.2, 0.8]]}
SPINLESS = {"D": 1.3, "N0": 0.8, "gap": 0.6 - 0.4j, "depairing": 0.3}
COLLINEAR = SPINLESS | {
    "exchange": (0, 0, 0.9), "theta": 0.4, "kappa": 0.3, "tau_so": (0.8, 0.8, 2.0), "tau_sf": (1.5, 1.5, 0.7),
    "su2": [(0, 0, 0.7), (0, 0, -0.4)],
}  # fmt: skip
FULL = COLLINEAR | {
    "exchange": (0.5, -0.3, 0.9), "tau_so": (0.8, 1.1, 2.0), "tau_sf": (1.5, 0.4, 0.7),
    "su2": [(0.3, -0.2, 0.7), (0.5, 0.1, -0.4)],
}  # fmt: skip
TENSOR = np.random.default_rng(5).normal(size=(3, 3, 3))
SOLID = FULL | {
    "su2": [(0.3, -0.2, 0.7), (0.5, 0.1, -0.4), (-0.6, 0.2, 0.1)], "spin_hall_tensor": TENSOR - TENSOR.swapaxes(0, 1)
}  # fmt: skip
CELLS = {"spinless": (2, SPINLESS), "collinear": (2, COLLINEAR), "full": (2, FULL), "solid": (3, SOLID)}
A = (0.4, -0.3, 0.2)


class Cell:
    """A single triangle or tetrahedron with random Riccati matrices and distributions at its corners."""

    def __init__(self, name):
        self.dim, self.material = CELLS[name]
        mesh = {2: skfem.MeshTri1, 3: skfem.MeshTet1}[self.dim]
        corners = np.array(CORNERS[self.dim], float)
        mesh = mesh(corners, np.arange(self.dim + 1)[:, None]).with_subdomains({"F": np.array([0])})
        device = uf.Device(mesh, {"F": uf.materials.Material(**self.material)}, A=A[: self.dim])
        self.kinetic = Kinetic(build_problem(device, 1))
        self.kind = self.kinetic.problem.sector.name
        space = self.kinetic.problem.space
        assert np.array_equal(space.cells, [np.arange(self.dim + 1)])
        self.phi, self.dx = space.phi, space.dx[0]
        self.grad = np.linalg.inv(np.vstack([np.ones(self.dim + 1), corners]))[:, 1:]  # of barycentric coordinates
        rng, n = np.random.default_rng(1), self.kinetic.problem.sector.entries
        self.state = 0.35 * rng.normal(size=(self.dim + 1, 4 * n)).view(complex)
        self.h, self.test = rng.normal(size=(2, self.dim + 1, 2 * n))

    def modes(self, values):
        """Amounts of all modes from those of the sector."""
        out = np.zeros((*values.shape[:-1], 8))
        out[..., KINDS[self.kind]] = values
        return out

    def at(self, q, material, *, without_torque=False):
        """-N0 Tr N_i J_k^K (dim, 8), and N0 (-Tr N_i T^K + Tr N_i [L, g]^K) (8,) with the fields of the tests."""
        own = {"su2": np.zeros((self.dim, 3)), "theta": 0.0, "kappa": 0.0, "exchange": (0, 0, 0)} | material
        eps = oracle.levi_civita()[: self.dim, : self.dim]
        theta = own["theta"] * eps + own.get("spin_hall_tensor", 0.0)
        a, b = (keldysh.spin_matrices(entries) for entries in np.split(self.state, 2, axis=1))
        here = [np.einsum("i,i...->...", self.phi[q], x) for x in (a, b)]
        slopes = [np.einsum("ik,i...->k...", self.grad, x) for x in (a, b)]
        r = oracle.green(*here)
        dr = np.array([oracle.green_derivative(*here, *slope) for slope in zip(*slopes, strict=True)])
        h, dh = self.modes(self.phi[q] @ self.h), self.modes(self.grad.T @ self.h)
        h, dh = keldysh.of_modes(h), np.array([keldysh.of_modes(slope) for slope in dh])
        spins = keldysh.spin_fields(own["su2"])
        gauge = spins + np.array(own.get("A", A))[: self.dim, None, None] * TAU3
        g, dg = keldysh.green_and_derivatives(r, covariant(r, dr, gauge), h, covariant(h, dh, gauge))
        current, torque = keldysh.current_and_torque(g, dg, own["D"], theta, own["kappa"] * eps)
        rates = {f"rate_{x}": 1 / np.broadcast_to(own.get(f"tau_{x}", np.inf), 3) for x in ("so", "sf")}
        energies = keldysh.energies(
            W, g, h, gap=own["gap"], exchange=own["exchange"], depairing=own["depairing"], **rates
        )
        local = keldysh.commutator(energies, g) - (0 if without_torque else 1) * torque
        return own["N0"] * keldysh.weak_form(current, local, spins)


@pytest.fixture(scope="module", params=CELLS)
def cell(request):
    return Cell(request.param)


@pytest.fixture(scope="module")
def solid():
    return Cell("solid")


def test_the_cells_stand_for_every_spin_sector():
    assert [Cell(name).kind for name in CELLS] == ["spinless", "collinear", "full", "full"]


def test_flows_of_all_modes_are_the_keldysh_blocks_of_current_torque_and_energies(cell):
    flow = cell.kinetic.flow(W, cell.state, cell.h)[:, :, 0]
    for q in range(len(cell.phi)):
        expected, found = cell.at(q, cell.material)[:, KINDS[cell.kind]], flow[:, :, q].T
        assert found == pytest.approx(expected, abs=1e-12 * abs(expected).max())


def test_modes_outside_a_spin_sector_do_not_flow(cell):
    outside = np.setdiff1d(range(8), KINDS[cell.kind])
    assert abs(cell.at(0, cell.material)[:, outside]).max(initial=0.0) < 1e-12


def test_the_matrix_is_the_weak_form(cell):
    pattern, m = cell.kinetic.pattern, cell.kinetic.modes
    rows = np.repeat(np.arange(cell.dim + 1), np.diff(pattern.indptr))
    matrix = np.zeros((cell.dim + 1, cell.dim + 1, m, m))
    matrix[rows, pattern.indices] = cell.kinetic.blocks(W, cell.state)
    expected = 0.0
    for q, weight in enumerate(cell.dx):
        own = cell.at(q, cell.material)[:, KINDS[cell.kind]]
        value, slope = cell.phi[q] @ cell.test, cell.grad.T @ cell.test
        expected += weight * ((slope * own[:-1]).sum() + value @ own[-1])
    assert np.einsum("ir,ijrc,jc->", cell.test, matrix, cell.h) == pytest.approx(expected, rel=1e-12)
    product = cell.kinetic.of_cells(W, cell.state, cell.h, np.array([0]))
    assert (cell.test * product).sum() == pytest.approx(expected, rel=1e-12)


def test_nothing_is_a_source_of_energy_and_only_a_gap_is_one_of_charge(solid):
    last = solid.kinetic.flow(W, solid.state, solid.h)[:, -1]
    assert abs(last[0]).max() == 0.0
    assert abs(last[4]).max() > 0.1
    without = solid.at(0, solid.material | {"gap": 0.0})[-1]
    assert abs(without[[0, 4]]).max() < 1e-12


@pytest.mark.parametrize(
    "change",
    [
        {"theta": -0.4}, {"kappa": -0.3}, {"spin_hall_tensor": 0.0}, {"gap": 0.6 + 0.4j}, {"exchange": (0.5, 0.3, 0.9)},
        {"su2": -np.array(SOLID["su2"])}, {"A": (0.4, -0.3, -0.2)}, {"tau_so": (1.1, 0.8, 2.0)},
        {"tau_sf": (1.5, 0.4, np.inf)}, None,
    ],
    ids=lambda change: "torque" if change is None else next(iter(change)),
)  # fmt: skip
def test_another_sign_or_a_missing_term_would_be_seen(solid, change):
    flow = solid.kinetic.flow(W, solid.state, solid.h)[:, :, 0, 0].T
    other = solid.at(0, solid.material | (change or {}), without_torque=change is None)
    assert abs(flow - other).max() > 1e-3 * abs(flow).max()


def test_orbital_depairing_changes_no_distribution_by_itself(solid):
    # the diagonal blocks of [tau3 g tau3, g] vanish
    with_it, without = (solid.at(0, solid.material | {"depairing": rate}) for rate in (0.3, 0.0))
    assert with_it == pytest.approx(without, abs=1e-12 * abs(without).max())


# Interfaces

BARRIERS = {
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin filter": uf.SpinActive(conductance=0.7, polarization=0.6, magnetization=(1, 2, -2)),
    "half metal": uf.SpinActive(conductance=0.7, polarization=-1.0, magnetization=(0, 1, 1)),
    "spin mixing": uf.SpinActive(conductance=0.7, mixing=-0.9, magnetization=(1, 2, -2)),
    "insulator": uf.SpinActive(conductance=0.0, mixing=0.8, magnetization=(1, 0, 0)),
    "spin-active": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2)),
    "channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9, 1.0]),
    "magnetic channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9], mixing=-0.8, magnetization=(1, 2, -2)),
}
ALONG = {
    "collinear": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9),
    "collinear channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9], mixing=-0.8),
    "spinless": BARRIERS["tunnel"],
    "spinless channels": BARRIERS["channels"],
}


class Sides:
    """Two segments with a barrier between them, and random matrices at their ends."""

    def __init__(self, barrier, sector):
        mesh = uf.interval({"A": 1.0, "B": 1.0}, size=1.0)
        device = uf.Device(mesh, dict.fromkeys("AB", uf.normal_metal()), interfaces={"A_B": barrier})
        self.kinetic = Kinetic(build_problem(device, 1, sector=sector))
        rng, n = np.random.default_rng(2), self.kinetic.problem.sector.entries
        count = self.kinetic.problem.space.nodes.shape[1]
        self.state, self.h = 0.35 * rng.normal(size=(count, 4 * n)).view(complex), rng.normal(size=(count, 2 * n))
        self.ends = self.kinetic.problem.interfaces.nodes[0]
        self.kind = self.kinetic.problem.sector.name

    def outflow(self):
        """What leaves either side in the modes of the sector, (2, m)."""
        return self.kinetic.of_sides(self.state, self.h, np.ones((2, 1), bool))[self.ends]

    def green(self, side):
        a, b = np.split(self.state[self.ends[side]], 2)
        amounts = np.zeros(8)
        amounts[KINDS[self.kind]] = self.h[self.ends[side]]
        r, h = oracle.green(keldysh.spin_matrices(a), keldysh.spin_matrices(b)), keldysh.of_modes(amounts)
        return keldysh.whole(r, r @ h - h @ keldysh.advanced(r))

    def expected(self, barrier):
        """N0 Tr N_i J^K out of either side, of J = -D g d g and sigma = 2 N0 D."""
        greens = [self.green(side) for side in range(2)]
        currents = [keldysh.barrier_current(barrier, *pair) for pair in (greens, greens[::-1])]
        flows = -0.5 * np.array([np.einsum("iab,ba->i", MODES, keldysh.keldysh(own)) for own in currents])
        assert abs(flows.imag).max() < 1e-12
        return flows.real[:, KINDS[self.kind]]


@pytest.mark.parametrize("name", BARRIERS)
def test_what_leaves_both_sides_of_a_barrier_is_the_keldysh_block_of_its_matrix_current(name):
    sides = Sides(BARRIERS[name], "full")
    expected = sides.expected(BARRIERS[name])
    assert sides.outflow() == pytest.approx(expected, abs=1e-12 * abs(expected).max())


@pytest.mark.parametrize("name", ALONG)
def test_barriers_in_smaller_spin_sectors(name):
    sides = Sides(ALONG[name], "auto")
    assert sides.kind == name.split()[0]
    expected = sides.expected(ALONG[name])
    assert sides.outflow() == pytest.approx(expected, abs=1e-12 * abs(expected).max())


def test_a_half_metallic_barrier_passes_no_spin_across_its_magnetisation():
    # normal metals: spins along it pass with the conductances of up and down, spins across it with their geometric mean
    barrier = uf.SpinActive(conductance=0.7, polarization=1.0)
    sides = Sides(barrier, "full")
    sides.state[:], sides.h[:] = 0.0, 0.0
    sides.h[sides.ends[0], 1] = 1.0  # spin x on side 1
    first, second = sides.outflow()
    assert first[1] == pytest.approx(4 * 2 * 0.7)  # all of it is lost: 4 (G_up + G_dn)
    assert second == pytest.approx(np.zeros(8), abs=1e-14)


@pytest.mark.parametrize("name", BARRIERS)
def test_barriers_conserve_charge_and_energy_exactly(name):
    first, second = Sides(BARRIERS[name], "full").outflow()
    assert first[[0, 4]] == pytest.approx(-second[[0, 4]], rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("change", [{"polarization": -0.6}, {"mixing": 0.9}, {"magnetization": (1, 2, 2)}])
def test_another_sign_at_a_barrier_would_be_seen(change):
    sides = Sides(BARRIERS["spin-active"], "full")
    other = sides.expected(replace(BARRIERS["spin-active"], **change))
    assert abs(sides.outflow() - other).max() > 1e-2 * abs(other).max()
