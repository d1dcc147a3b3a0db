"""A device without code: its functions of position as values."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..device.coefficient import evaluate
from ..device.device import Device
from ..device.facets import interface_facets
from ..device.material import COEFFICIENTS
from ..space.section import facet_basis
from ..space.space import Space

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sampled:
    """A function of position that is known at some points only, and has the value of the nearest one elsewhere.

    Attributes
    ----------
    points
        Positions, shape (dim, points).
    values
        Values, shape (*components, points).
    """

    points: Real
    values: NDArray[Any]

    @cached_property
    def _tree(self) -> Any:
        return scipy.spatial.cKDTree(self.points.T)

    def __call__(self, x: Real) -> NDArray[Any]:
        """Values at positions (dim, ...); in one dimension also (points,)."""
        x = np.atleast_2d(x)
        _, nearest = self._tree.query(x.reshape(len(x), -1).T)
        return np.asarray(self.values[..., nearest].reshape(*self.values.shape[:-1], *x.shape[1:]))


def without_functions(device: Device, space: Space) -> Device:
    """The device with values in place of functions of position.

    Coefficients of materials are taken at the vertices, and linear in between; those of reservoirs and barriers at the
    nodes and quadrature points of their facets, where solves with the same elements need them.
    """
    mesh = device.mesh
    materials = {
        region: material.with_values(
            {name: _value(name, getattr(material, name), mesh.p, f"region {region!r}") for name in COEFFICIENTS}
        )
        for region, material in device.conductors.items()
    }
    interfaces = {
        key: _record(barrier, space, interface_facets(device.sample, key)) for key, barrier in device.interfaces.items()
    }
    contacts = {
        name: _record(contact, space, np.asarray(device.sample.boundaries[name], np.int64))
        for name, contact in device.contacts.items()
    }
    potential = _value("A", device.A, mesh.p, "device")
    return replace(
        device, materials={**device.materials, **materials}, interfaces=interfaces, contacts=contacts, A=potential
    )


def _value(name: str, value: Any, points: Real, owner: str) -> Any:
    return evaluate(name, value, points, owner) if callable(value) else value


def _record(record: Any, space: Space, facets: NDArray[Any]) -> Any:
    """A contact or barrier with samples in place of functions, its own barrier included."""
    changed: dict[str, Any] = {}
    for entry in fields(record):
        value = getattr(record, entry.name)
        if entry.name == "barrier" and value is not None:
            changed["barrier"] = _record(value, space, facets)
        elif entry.name == "transparencies" and callable(value):
            changed[entry.name] = Sampled(_TRANSPARENCIES[None], np.asarray(value(_TRANSPARENCIES), float))
        elif callable(value):
            _, _, inside = facet_basis(space, facets)
            corners = space.mesh.p[:, np.unique(space.mesh.facets[:, facets])]
            nodes = space.nodes[:, space.facet_nodes(facets)]
            x = np.concatenate([corners, nodes, inside.reshape(len(inside), -1)], axis=1)
            changed[entry.name] = Sampled(x, evaluate(entry.name, value, x, "contact or barrier"))
    return replace(record, **changed) if changed else record


# Where densities of transparencies are sampled: finely in the angle that they are integrated over.
_TRANSPARENCIES = np.sin(np.linspace(0, np.pi / 2, 4002)[1:-1]) ** 2
