"""A self-consistent bridge between reservoirs, and an independent solution of it."""

import numpy as np
import scipy

import usadelfem as uf

TC = 1.0 / 1.763877
LENGTH, TEMPERATURE = 6.0, 0.2
PLAIN = {"quadrature": "plain", "cutoff_index": 4}


def bridge(size=0.5, length=LENGTH, **right):
    """A superconducting wire of the gap 1 of its reservoirs; more of the right one."""
    mesh = uf.interval({"S": length}, size=size)
    ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, **right)}
    return uf.Device(mesh, {"S": uf.superconductor(Tc=TC)}, ends)


def middle_of(eq, phase):
    """The lowest Riccati amplitude of a bridge in its middle, which tells its solutions apart; real by symmetry."""
    green = eq.green([[LENGTH / 2]])[0, :, :, 0]
    amplitude = green[0, 2] / (1 + green[0, 0])  # i c, turned by half of the phase difference
    return (amplitude / 1j * np.exp(-0.5j * phase)).real


def independent_bridge(middle, phase):
    """Phase difference and current of the solution whose lowest Riccati amplitude is `middle` in the middle.

    D (c'' - 2 c* c'^2 / (1 + |c|^2)) = 2 w c - Delta + Delta* c^2 at four frequencies, Delta from their sum, D = 1;
    half of the bridge, with Re c even and Im c odd, the phase difference an unknown parameter.
    """
    w = np.pi * TEMPERATURE * (2 * np.arange(4) + 1)
    close = 2 * np.pi * TEMPERATURE / (np.log(TEMPERATURE / TC) + 2 * np.pi * TEMPERATURE * (1 / w).sum())

    def slopes(_, y, p):
        c, dc = y[:4] + 1j * y[4:8], y[8:12] + 1j * y[12:]
        gap = close * (2 * c / (1 + abs(c) ** 2)).sum(axis=0)
        bent = 2 * w[:, None] * c - gap + gap.conj() * c**2 + 2 * c.conj() * dc**2 / (1 + abs(c) ** 2)
        return np.concatenate([dc.real, dc.imag, bent.real, bent.imag])

    def ends(a, b, p):
        lead = np.exp(0.5j * p[0]) / (w + np.hypot(w, 1.0))
        return np.concatenate([a[4:8], a[8:12], b[:4] - lead.real, b[4:8] - lead.imag, [a[0] - middle]])

    x = np.linspace(0, LENGTH / 2, 60)
    lead = 1 / (w + np.hypot(w, 1.0))
    real = middle / lead[0] + (np.cos(phase / 2) - middle / lead[0]) * (x / x[-1]) ** 2
    start = lead[:, None] * (real + 1j * np.sin(phase / 2) * x / x[-1])
    slope = np.gradient(start, x, axis=1)
    guess = np.concatenate([start.real, start.imag, slope.real, slope.imag])
    found = scipy.integrate.solve_bvp(slopes, ends, x, guess, p=[phase], tol=1e-6, max_nodes=20000)
    assert found.success
    y = found.y[:, 0]
    amplitude, change = 2 * y[:4] / (1 + y[:4] ** 2), 2 * y[12:] / (1 + y[:4] ** 2)
    return found.p[0], 4 * np.pi * TEMPERATURE * (amplitude * change).sum()
