"""
A sweep over phase and field on a cluster
=========================================

The current of a wide SNS junction as a function of phase difference and magnetic flux, and its critical current: a
Fraunhofer pattern (Cuevas and Bergeret, Phys. Rev. Lett. 99, 217002). The points are spread over two dask workers; a
cluster of any size takes the same lines. Each finished point goes into a checkpoint, so that a run that is stopped goes
on where it was when it is started again.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster

import usadelfem as uf

# %%
# The junction: a normal strip, much wider than long, between superconducting reservoirs. Lengths are in units of
# xi; a flux quantum is pi. The phase winds along the width with the flux, which the cells must resolve: half as fine a
# mesh is right up to one flux quantum only. The function that a sweep calls may be defined in the script.
LENGTH, WIDTH = 1.0, 8.0
mesh = uf.rectangle({"N": LENGTH}, width=WIDTH, size=0.125, cell="quad")


def current(phase, flux):
    contacts = {
        "left": uf.Reservoir(1.0, -phase / 2),
        "right": uf.Reservoir(1.0, phase / 2),
    }
    field = flux * np.pi / (LENGTH * WIDTH)
    device = uf.Device(mesh, {"N": uf.normal_metal()}, contacts, B=field)
    eq = uf.solve_equilibrium(device, temperature=0.3)
    return uf.charge_current(eq).through("right")


# %%
# The sweep. Without `executor` it runs here, one point after the other; without `checkpoint` it keeps nothing.
if __name__ == "__main__":
    output = Path("output")
    output.mkdir(exist_ok=True)
    # No current flows at a phase of 0 or pi.
    phases, fluxes = np.arange(1, 6) * np.pi / 6, np.linspace(0, 2.5, 16)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        result = uf.sweep(
            current,
            {"phase": phases, "flux": fluxes},
            workers=client.get_executor(),
            checkpoint=output / "phase_field_sweep.h5",
        )
    currents = result.values

    # %%
    # The current is odd in the phase. A sine series through the points finds its maximum, which lies between them.
    orders, between = np.arange(1, len(phases) + 1), np.linspace(0, np.pi, 361)
    harmonics = np.linalg.solve(np.sin(np.outer(phases, orders)), currents)
    critical = abs(np.sin(np.outer(between, orders)) @ harmonics).max(axis=0)

    # %%
    # The map, and the critical current against the pattern of a tunnel junction, abs(sin x / x) with x = pi flux.
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    image = axes[0].pcolormesh(
        fluxes,
        between / np.pi,
        np.sin(np.outer(between, orders)) @ harmonics,
        cmap="RdBu_r",
        vmin=-critical[0],
        vmax=critical[0],
        shading="gouraud",
    )
    axes[0].set(
        xlabel=r"$\Phi/\Phi_0$",
        ylabel=r"$\varphi/\pi$",
        title=r"$I(\varphi, \Phi)$ [$e N_0 D \Delta$]",
    )
    figure.colorbar(image, ax=axes[0])
    fine = np.linspace(0, 2.5, 301)
    axes[1].plot(fluxes, critical / critical[0], "o", ms=4, label="wide junction")
    axes[1].plot(
        fine,
        abs(np.sinc(fine)),
        "--",
        label=r"$|\sin(\pi\Phi/\Phi_0)/(\pi\Phi/\Phi_0)|$",
    )
    axes[1].set(xlabel=r"$\Phi/\Phi_0$", ylabel=r"$I_\mathrm{c}(\Phi)/I_\mathrm{c}(0)$")
    axes[1].legend()
    figure.savefig(output / "phase_field_sweep.png", dpi=150)

    # %%
    # The headline: the critical current has a minimum near one flux quantum, and a second maximum.
    first, second = (
        critical[np.argmin(abs(fluxes - 1.0))],
        critical[(fluxes > 1.2) & (fluxes < 1.8)].max(),
    )
    print(
        f"I_c at one flux quantum: {first / critical[0]:.3f} "
        f"of the largest, then {second / critical[0]:.3f}"
    )
    # sphinx_gallery_start_ignore
    assert first < 0.1 * critical[0] < second
    # sphinx_gallery_end_ignore
