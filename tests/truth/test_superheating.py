"""The superheating field of a cylinder: the fold of the branch that expels the field, against a radial solution."""

from functools import cache

import numpy as np
import pytest
import scipy
import skfem

import usadelfem as uf

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")]
TEMPERATURE, RADIUS, DEPTH, COUNT = 0.3, 3.0, 0.7, 3
W = np.pi * TEMPERATURE * (2 * np.arange(COUNT) + 1)
GAP0 = np.pi * np.exp(-np.euler_gamma)  # of Tc = 1
SCREENED = {
    "screening": True, "penetration_depth": DEPTH, "quadrature": "plain", "cutoff_index": COUNT,
}  # fmt: skip


def cylinder():
    """A disc of as many sides as its cells have, of the area of the round one."""
    mesh = skfem.MeshTri1.init_circle(2)
    sides = len(mesh.boundary_facets())
    mesh = mesh.scaled(RADIUS / np.sqrt(np.sinc(2 / sides)))
    return mesh.with_subdomains({"S": lambda x: x[0] < np.inf})


def independent(edge, guess):
    """The radial solution with an angle `edge` of the lowest frequency at the surface, the applied field unknown.

    theta'' + theta'/r = 2 (w sin theta - Delta cos theta) + (2A)^2 sin theta cos theta, D = 1; (rA)'/r = B, B' = mu0 j
    with j = 4 A 2 pi T sum sin^2 theta, and 1/lambda^2 = 2 pi mu0 Delta at T = 0.
    """
    close = 2 * np.pi * TEMPERATURE / (np.log(TEMPERATURE) + 2 * np.pi * TEMPERATURE * (1 / W).sum())
    mu0, inner = 1 / (2 * np.pi * GAP0 * DEPTH**2), 1e-4

    def slopes(r, y, p):
        sine, cosine, A = np.sin(y[:COUNT]), np.cos(y[:COUNT]), y[-2]
        bend = 2 * (W[:, None] * sine - close * sine.sum(axis=0) * cosine) + (2 * A) ** 2 * sine * cosine
        slope, stiffness = y[COUNT:-2], 8 * np.pi * TEMPERATURE * (sine**2).sum(axis=0)
        return np.concatenate([slope, bend - slope / r, [y[-1] - A / r, mu0 * stiffness * A]])

    def ends(a, b, p):
        return np.concatenate(
            [a[COUNT:-2], b[COUNT:-2], [a[-2] - a[-1] * inner / 2, b[-1] - p[0], b[0] - edge]]
        )  # fmt: skip

    if guess is None:
        r = np.linspace(inner, RADIUS, 80)
        field = 0.6 * np.exp((r - RADIUS) / DEPTH)
        angles = np.arctan(GAP0 / W)[:, None] * np.ones(80)
        guess = r, np.concatenate([angles, 0 * angles, [field * DEPTH, field]]), [0.6]
    found = scipy.integrate.solve_bvp(slopes, ends, *guess, tol=1e-6, max_nodes=5000)
    assert found.success
    return found.x, found.y, found.p


def independent_fold():
    """The largest applied field of the radial solutions."""
    guess, edges, fields = None, np.linspace(1.03, 0.63, 41), []
    for edge in edges:
        guess = independent(edge, guess)
        fields.append(guess[2][0])
    curve = scipy.interpolate.CubicSpline(edges[::-1], fields[::-1])
    return max(float(curve(edge)) for edge in curve.derivative().roots(extrapolate=False))


@cache
def branch():
    mesh = cylinder()
    return uf.branch(
        lambda field: uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, B=field), "B", (0.8, 1.2), TEMPERATURE,
        step=0.25, points=8, states=True, **SCREENED,
    )  # fmt: skip


def test_the_superheating_field_is_that_of_an_independent_radial_solution():
    (fold,) = branch().folds
    assert branch().parameters[fold] == pytest.approx(independent_fold(), rel=1e-4)


def test_the_superheated_state_becomes_unstable_where_its_branch_turns():
    (fold,) = branch().folds
    lowest = [uf.stability(branch().equilibria[number], count=1).values[0] for number in (fold - 1, fold, fold + 1)]
    assert lowest[0] > 1e-3
    assert lowest[1] == pytest.approx(0.0, abs=1e-3)
    assert lowest[2] < -1e-3
