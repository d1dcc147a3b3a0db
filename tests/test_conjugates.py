"""Conjugates of the coefficients, df/dc, against explicit matrices, differences and the residual."""

import numba
import numpy as np
import oracle
import pytest
from test_functional import DIM, PAIRS, TERMS, coefficients

from usadelfem.physics import columns as column
from usadelfem.physics import conjugate_changes, conjugates

W = 0.37
RANDOM = np.random.default_rng(3)
GAUGE_FIELDS = RANDOM.normal(size=(DIM, 4))


@numba.njit
def call(w, c, pairs, a, b, dz, da, db, ddz, linear):
    size = column_count(len(dz[0]), len(pairs))
    rows = np.zeros((8, dz.shape[1], 4), np.complex128)
    value, change = np.zeros(size, np.complex128), np.zeros(size, np.complex128)
    ta, tb, ua, ub = (a[0], a[1], a[2], a[3]), (b[0], b[1], b[2], b[3]), (da[0], da[1], da[2], da[3]), (0j, 0j, 0j, 0j)
    ub = (db[0], db[1], db[2], db[3])
    conjugates.conjugates(w, c, pairs, ta, tb, dz, linear, 7, rows, value)
    conjugate_changes.conjugate_changes(w, c, pairs, ta, tb, dz, ua, ub, ddz, linear, 7, rows, change)
    return value, change


@numba.njit
def column_count(dim, channels):
    return column.FIRST_GAUGE + column.GAUGE_COLUMNS * dim + column.CHANNEL_COLUMNS * channels


class Point:
    """A random point: a, b, their derivatives, and a change of all."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.a, self.b, self.da, self.db = 0.4 * rng.normal(size=(4, 8)).view(complex)
        self.dz, self.ddz = 0.4 * rng.normal(size=(2, 2, DIM, 8)).view(complex)

    def moved(self, step):
        other = Point(0)
        other.a, other.b, other.dz = self.a + step * self.da, self.b + step * self.db, self.dz + step * self.ddz
        other.da, other.db, other.ddz = self.da, self.db, self.ddz
        return other

    def conjugates(self, c, *, w=W, linear=False):
        return call(w, c, PAIRS, self.a, self.b, self.dz, self.da, self.db, self.ddz, linear)

    def density(self, *, w=W, connection=None, **terms):
        """f of explicit 4x4 matrices, measured from the normal metal; `connection(k, a, sign)` is added to D_k."""
        a, b, dz = self.a.reshape(2, 2), self.b.reshape(2, 2), self.dz.reshape(2, DIM, 2, 2)
        if connection is not None:
            extra = [[connection(k, part, sign) for k in range(DIM)] for part, sign in ((a, 1), (b, -1))]
            dz = dz + np.array(extra)
        zero = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((DIM, 2, 2)), np.zeros((DIM, 2, 2))
        return oracle.density(w, a, b, dz[0], dz[1], **terms) - oracle.density(w, *zero, **terms)


@pytest.fixture(params=range(2))
def point(request):
    return Point(request.param)


EVERY = TERMS["all"]
ROW = coefficients(**EVERY)


def step_in(name, index=None, step=1.0):
    """The terms with a coefficient, or one of its components, larger by a step."""
    value = np.array(EVERY[name], complex if name == "gap" else float)
    if index is None:
        return EVERY | {name: value + step}
    value[index] += step
    return EVERY | {name: value}


# Column -> the terms with it larger by 1 (a rate 1/tau by 4: the column holds 1/(4 tau)).
LINEAR = {
    "D": step_in("D"), "GAP_RE": step_in("gap"), "GAP_IM": step_in("gap", step=1j), "DEPAIRING": step_in("depairing"),
    **{f"H{'XYZ'[i]}": step_in("exchange", i) for i in range(3)},
    **{f"RATE_SO_{'XYZ'[i]}": step_in("rate_so", i, 4.0) for i in range(3)},
    **{f"RATE_SF_{'XYZ'[i]}": step_in("rate_sf", i, 4.0) for i in range(3)},
    "INELASTIC": EVERY,  # which only the equations at real energies know
}  # fmt: skip


def test_every_local_column_is_compared():
    assert set(LINEAR) == {row.name for row in column.LOCAL} - {"N0"}


@pytest.mark.parametrize("name", LINEAR)
def test_conjugate_is_the_derivative_of_the_explicit_density(name, point):
    expected = point.density(**LINEAR[name]) - point.density(**EVERY)  # f is linear in it
    assert point.conjugates(ROW)[0][column.NUMBER[name]] == pytest.approx(expected, rel=1e-11)


def test_conjugate_of_the_density_of_states_is_the_density_of_the_functional(point):
    assert point.conjugates(ROW)[0][column.N0] == pytest.approx(point.density(**EVERY), rel=1e-12)


def test_conjugate_of_the_energy_is_the_density_of_states(point):
    a, b = point.a.reshape(2, 2), point.b.reshape(2, 2)
    states = np.trace(np.linalg.inv(np.eye(2) + a @ b)) - 1
    assert 1 - 0.25 * point.conjugates(ROW)[0][column.W] == pytest.approx(states, rel=1e-12)


def test_conjugates_of_the_sources_are_the_blocks_of_g(point):
    a, b = point.a.reshape(2, 2), point.b.reshape(2, 2)
    n = np.linalg.inv(np.eye(2) + a @ b)
    values = point.conjugates(ROW)[0]
    upper = [-0.25 * (1j * values[h] + values[s]) for h, s in zip(column.EXCHANGE_FIELD, column.SPIN, strict=True)]
    assert upper == pytest.approx([np.trace(s @ n) for s in oracle.SIGMA], rel=1e-11)
    triplets = [np.trace(s @ n @ a) for s in oracle.SIGMA]
    assert values[list(column.PAIR)] == pytest.approx(triplets, rel=1e-11)


def charge(k, part, sign, axis, step):
    return -2j * sign * step * part if k == axis else 0 * part


def spin(k, part, sign, axis, step, direction):
    s = 0.5 * step * oracle.SIGMA[direction]
    return -1j * (s @ part - part @ s) if k == axis else 0 * part


GENERATORS = {"A": charge} | {
    f"SU_{'XYZ'[i]}": lambda k, part, sign, axis, step, i=i: spin(k, part, sign, axis, step, i) for i in range(3)
}  # fmt: skip


@pytest.mark.parametrize("axis", range(DIM))
@pytest.mark.parametrize("component", GENERATORS)
def test_conjugates_of_gauge_fields_are_derivatives_through_covariant_ones(component, axis, point):
    step = 1e-4
    plus, minus = (
        point.density(**EVERY, connection=lambda k, p, c, s=s: GENERATORS[component](k, p, c, axis, s))
        for s in (step, -step)
    )
    place = column.FIRST_GAUGE + column.GAUGE_COLUMNS * axis + list(GENERATORS).index(component)
    value = point.conjugates(ROW)[0][place]
    assert value == pytest.approx((plus - minus) / (2 * step), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("number", range(len(PAIRS) * column.CHANNEL_COLUMNS))
def test_conjugates_of_channels_are_differences_of_the_density(number, point):
    values, above, below = point.conjugates(ROW)[0], ROW.copy(), ROW.copy()
    above[column.COEFFICIENTS + number] += 0.5  # v, theta and kappa of one channel: f is linear in each
    below[column.COEFFICIENTS + number] -= 0.5
    change = point.conjugates(above)[0][column.N0] - point.conjugates(below)[0][column.N0]
    place = column.FIRST_GAUGE + column.GAUGE_COLUMNS * DIM + number
    assert values[place] == pytest.approx(change, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_changes_are_central_differences_along_the_change_of_the_state(linear, point):
    step = 1e-5
    above, below = (point.moved(sign * step).conjugates(ROW, linear=linear)[0] for sign in (1, -1))
    change = point.conjugates(ROW, linear=linear)[1]
    assert abs((above - below) / (2 * step) - change).max() < 1e-8 * abs(change).max()


def test_linearised_conjugates_are_the_second_order_of_the_full_ones(point):
    small, zero = point.moved(0.0), 1e-3
    small.a, small.b, small.dz = zero * point.a, zero * point.b, zero * point.dz
    full, linear = small.conjugates(ROW)[0], small.conjugates(ROW, linear=True)[0]
    first = [*column.GAP, *column.PAIR]  # of first order, without a second one
    assert abs(full - linear)[first].max() < 10 * zero**3
    assert abs(full - linear).max() < 100 * zero**3
    assert abs(linear).max() > zero**2
