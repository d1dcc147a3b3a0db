"""Derivatives against differences of solves: remainders of Taylor's series, and the limit of difference quotients."""

import numpy as np

import usadelfem as uf

STEPS = 10.0 ** -np.arange(1, 5)
# Remainders fall by these factors from step to step, at least: a hundred in the end.
SMALLER = 10.0 ** -np.array([1.5, 1.8, 1.95])
# Parts of a value that are rounding, and that solutions are uncertain by.
ROUNDING, UNCERTAIN = 1e-11, 1e-12


def observables(eq):
    """What is known of an equilibrium, or its derivative of a tangent, by name."""
    points = getattr(eq, "result", eq).device.mesh.p
    place = 0.7 * points.max(axis=1, keepdims=True)  # where nothing is symmetric
    found = {
        "charge current": uf.charge_current(eq).through("right"),
        "spin current density": uf.spin_current(eq).at(place).ravel(),
        "spin density": uf.spin_density(eq).integral("F"),
        "pair amplitude": uf.pair_amplitude(eq, None).at(place).ravel(),
        "gap": uf.gap(eq).integral(),
    }
    if not eq.problem.linearized:
        found["free energy"] = uf.free_energy(eq)
    return {name: np.atleast_1d(value) for name, value in found.items()}


def spectral(spec):
    """The same of a spectrum."""
    return {
        "density of states": uf.density_of_states(spec).integral("F"),
        "spin resolved": uf.density_of_states(spec, spin=(1, 2, -1)).integral("F"),
        "spectral current": uf.charge_current(spec).through("right"),
        "pair amplitude": uf.pair_amplitude(spec).integral().ravel(),
    }


def check(solve, parameters, *, observe=observables, size=1.0, precision=1e-7):
    """Remainders of all observables fall with the square of the step; difference quotients tend to the derivative.

    `solve` makes the result from the parameter, zero in the middle; steps are `size` times 0.1 to 1e-4. The quotients
    are extrapolated to zero by the polynomial through all of them (Neville).
    """
    steps = size * STEPS
    result = solve(0.0)
    values, slopes = observe(result), observe(uf.derivative(result, parameters))
    moved = [observe(solve(step)) for step in steps]
    largest = max(np.linalg.norm(slope) for slope in slopes.values())
    for name, value in values.items():
        slope = slopes[name]
        quotients = [(own[name] - value) / step for own, step in zip(moved, steps, strict=True)]
        size_of = max(np.linalg.norm(slope), 1e-3 * largest)
        error = np.linalg.norm(limit(steps, quotients) - slope)
        assert error < precision * size_of + UNCERTAIN * np.linalg.norm(value) / steps[-1], (name, error, slope)
        left = np.array([np.linalg.norm(q - slope) for q in quotients]) * steps
        noise = ROUNDING * max(np.linalg.norm(value), size_of)
        assert ((left[1:] < SMALLER * left[:-1]) | (left[1:] < noise)).all(), (name, left)
    assert largest > 1e-5


def limit(steps, quotients):
    """The polynomial through quotients at steps, at zero."""
    known = [np.asarray(own) for own in quotients]
    for order in range(1, len(steps)):
        known = [
            (steps[i] * known[i + 1] - steps[i + order] * known[i]) / (steps[i] - steps[i + order])
            for i in range(len(known) - 1)
        ]
    return known[0]
