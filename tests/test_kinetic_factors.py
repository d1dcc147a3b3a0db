"""Modes of the distribution that do not couple are solved apart, with the same result."""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.nonequilibrium import factors
from usadelfem.nonequilibrium.responses import Responses

ENERGIES = [0.7, 1.5]


def turning(x):
    return np.stack([np.cos(x[0]), np.sin(2 * x[0]), 0.5 + x[1]])


GROUPS = {  # phase of the right reservoir, exchange field -> groups of modes
    (0.0, None): [(0,), (1,)],
    (0.0, (0, 0, 1.0)): [(0, 1), (2, 3)],
    (0.0, turning): [(0, 1, 2, 3), (4, 5, 6, 7)],
    (1.1, None): [(0, 1)],
    (1.1, turning): [tuple(range(8))],
}


def state(phase, exchange):
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25).with_boundaries(
        {"up": lambda x: (x[1] > 0.499) & (abs(x[0] - 0.5) < 0.26)}
    )
    metal = uf.normal_metal() if exchange is None else uf.ferromagnet(exchange=exchange, tau_so=2.0)
    contacts = {"left": uf.Reservoir(gap=3.0), "right": uf.Reservoir(gap=3.0, phase=phase), "up": uf.Reservoir(gap=0)}
    device = uf.Device(mesh, {"F": metal}, contacts)
    return uf.solve_nonequilibrium(device, temperature=0.2, energies=ENERGIES, broadening=1e-2, order=1)


@pytest.mark.parametrize(("phase", "exchange"), GROUPS)
def test_energy_and_charge_are_apart_where_no_supercurrent_flows(phase, exchange, monkeypatch):
    neq = state(phase, exchange)
    w, retarded = complex(1e-2, -ENERGIES[0]), neq.spectrum.states[0]
    apart, together = Responses(neq.problem), Responses(neq.problem)
    found = apart.solve(w, retarded)
    assert sorted(apart._solver.solvers) == GROUPS[phase, exchange]
    monkeypatch.setattr(factors, "ROUNDING", 0.0)
    whole = together.solve(w, retarded)
    assert found.conductance == pytest.approx(whole.conductance, abs=1e-12 * abs(whole.conductance).max())
    assert found.fields == pytest.approx(whole.fields, abs=1e-10)


def test_a_load_is_answered_in_every_group():
    neq = state(0.0, turning)
    responses = Responses(neq.problem, slots=2)
    load = np.random.default_rng(3).normal(size=(len(neq.spectrum.states[0]), 8))
    answers = []
    for slot in (0, 1):
        w = complex(1e-2, -ENERGIES[slot])
        responses.solve(w, neq.spectrum.states[slot], slot)
        h, _ = responses.answer(slot, load)
        given = np.zeros(len(load), bool)
        given[responses._given] = True
        product = responses.kinetic.of_cells(w, neq.spectrum.states[slot], h, np.arange(len(neq.problem.space.cells)))
        assert product[~given] == pytest.approx(load[~given], abs=1e-10)
        answers.append(h)
    again, _ = responses.answer(0, load)  # the factors of the other slot stay
    assert np.array_equal(again, answers[0])
