"""Electrodes: the nodes of reservoirs and what they impose there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import evaluate, uniform
from ..device.contact import FLOATING, Reservoir
from ..device.device import Device
from ..device.material import Material
from ..errors import DeviceError
from ..frozen import FrozenRecord
from ..physics import columns as column
from ..physics.riccati import bulk, tilde_entries
from ..physics.thermal import bcs_gap
from ..space.space import Index, Real, Space
from .conduction import electrode_nodes

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False, repr=False)
class Electrode(FrozenRecord):
    """A reservoir in a discretisation.

    Attributes
    ----------
    nodes
        The nodes that are clamped, ghosts where the contact has a barrier.
    gap, exchange
        Complex order parameter (nodes,) and exchange field (3, nodes) of the reservoir there.
    """

    nodes: Index
    gap: Complex
    exchange: Real

    def amplitude(self, w: complex, *, linearized: bool) -> Complex:
        """Entries of a at a frequency, shape (nodes, 4)."""
        return bulk(w, self.gap, self.exchange, linearized=linearized)

    def partner(self, w: complex, *, linearized: bool) -> Complex:
        """Entries of b: b(w) = sigma_y a(w*)* sigma_y."""
        return tilde_entries(bulk(np.conj(w), self.gap, self.exchange, linearized=linearized))


Electrodes = dict[str, Electrode]


def build_electrodes(
    device: Device, space: Space, temperature: float | None, known: Electrodes | None = None, *, biased: bool = False
) -> Electrodes:  # fmt: skip
    """The electrodes of all reservoirs; those that are `known` already are taken. Only `biased` ones may differ in
    voltage, temperature and spin bias.

    Raises
    ------
    DeviceError
        If a contact is not a Reservoir, a bulk gap is not known, or two contacts meet at a node with different values.
    """
    values: Electrodes = {}
    for name, reservoir in device.contacts.items():
        if not isinstance(reservoir, Reservoir):
            raise DeviceError(
                f"contact {name!r} is {reservoir!r}; allowed is a Reservoir (a normal one is Reservoir(gap=0)), the "
                "others belong to solve_normal_state"
            )
        own = known.get(name) if known else None
        values[name] = own or _electrode(device, space, name, reservoir, temperature, biased)
    _check_shared_nodes(values)
    return values


def _electrode(
    device: Device, space: Space, name: str, reservoir: Reservoir, temperature: float | None, biased: bool
) -> Electrode:  # fmt: skip
    nodes = electrode_nodes(device, space, name)
    x, owner = space.nodes[:, nodes], f"reservoir {name!r}"
    if reservoir.current is not None:
        raise DeviceError(
            f"{owner} has a current, and its phase is not known yet: solve_equilibrium finds it; go on with the device "
            "of its result, eq.device, or give a phase, device.with_phase(...)"
        )
    if not biased:
        _check_equilibrium(owner, reservoir, x, temperature)
    phase, exchange = (evaluate(entry, getattr(reservoir, entry), x, owner) for entry in ("phase", "exchange"))
    if reservoir.gap is None:
        facets = np.asarray(space.mesh.boundaries[name], np.int64)
        own = temperature if reservoir.temperature is None else reservoir.temperature
        gap = np.full(len(nodes), _bulk_gap(device, space, facets, name, own), complex)
    else:
        gap = evaluate("gap", reservoir.gap, x, owner)
    return Electrode(nodes, gap * np.exp(1j * phase), exchange)


def _check_equilibrium(owner: str, reservoir: Reservoir, x: Real, temperature: float | None) -> None:
    """DeviceError if a reservoir is not in equilibrium with the others."""
    for entry, what in (("voltage", "voltage"), ("spin_bias", "spin bias")):
        value = getattr(reservoir, entry)
        if value is FLOATING or np.any(evaluate(entry, value, x, owner)):
            raise DeviceError(
                f"{owner} has a {what}, and an equilibrium has none: leave out {entry}, or take solve_nonequilibrium "
                "or solve_normal_state"
            )
    own = reservoir.temperature
    if own is not None and temperature is not None and own != temperature:
        raise DeviceError(
            f"{owner} has the temperature {own:g} and the solve {temperature:g}, and an equilibrium has one: leave it "
            "out of the reservoir, or take solve_nonequilibrium"
        )


def spin_biases(device: Device) -> Real:
    """The spin biases of all reservoirs that are one vector each, shape (reservoirs, 3)."""
    given = [own.spin_bias for own in device.contacts.values() if isinstance(own, Reservoir)]
    vectors = [np.asarray(own, float) for own in given if not callable(own) and np.shape(own) == (3,)]
    return np.array(vectors).reshape(-1, 3)


def _bulk_gap(device: Device, space: Space, facets: Index, name: str, temperature: float | None) -> float:
    """The gap of a reservoir of the metal that its contact touches."""
    touched = np.unique(space.mesh.f2t[0, facets])
    regions = [r for r in device.conductors if np.isin(space.mesh.subdomains[r], touched).any()]
    material = device.conductors[regions[0]]
    owner = f"reservoir {name!r}"
    gap, tc = uniform(material.gap), uniform(material.Tc)
    if len(regions) == 1 and tc is not None and temperature is not None:
        if _breaks_pairs(material):
            raise DeviceError(
                f"{owner} has no gap, and {regions[0]!r}, which it touches, has an exchange field or pair breaking, so "
                "that its bulk gap is not the one of a clean superconductor; give gap=..."
            )
        return bcs_gap(temperature, tc.real)
    if len(regions) == 1 and gap:
        return abs(gap)
    raise DeviceError(
        f"{owner} has no gap, and the metal it touches ({', '.join(regions)}) is not one superconductor with a uniform "
        "Tc or gap; give gap=... (0 for a normal reservoir)"
    )


def _breaks_pairs(material: Material) -> bool:
    values = [(row.fill, getattr(material, row.coefficients[0])) for row in column.LOCAL if row.breaks_pairs]
    return any(callable(value) or (fill and np.any(fill(np.asarray(value)))) for fill, value in values)


def _check_shared_nodes(values: Electrodes) -> None:
    """Two contacts may share a node, such as a corner, only if their reservoirs impose the same value there."""
    names = list(values)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b = values[first], values[second]
            _, one, two = np.intersect1d(a.nodes, b.nodes, return_indices=True)
            jump = abs(a.gap[one] - b.gap[two])
            turn = abs(a.exchange[:, one] - b.exchange[:, two])
            size = max(np.max(abs(part), initial=0.0) for own in (a, b) for part in (own.gap, own.exchange))
            if max(jump.max(initial=0.0), turn.max(initial=0.0)) > 1e-9 * size:
                raise DeviceError(
                    f"contacts {first!r} and {second!r} touch at {len(one)} nodes but impose different gap, phase or "
                    "exchange there; separate them, or give values that agree where they meet"
                )
