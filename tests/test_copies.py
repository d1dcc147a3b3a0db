"""Copies of results are the results: read-only, and known to the kernels, whatever their flags and types of number."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from devices import sfs

import usadelfem as uf
from usadelfem.fem import assembly, conjugates
from usadelfem.fem import cells as element
from usadelfem.numerics import equilibrate
from usadelfem.space import pattern

KERNELS = (
    element.element_terms, assembly.scatter_residual, assembly.scatter_tangent, pattern.fill_pattern,
    conjugates.add_conjugates, equilibrate.maxima, equilibrate.scale_entries,
)  # fmt: skip


@pytest.fixture(scope="module")
def eq():
    return uf.solve_equilibrium(sfs(), 0.2, order=1, frequencies=2)


def observed(eq):
    uf.solve_equilibrium(eq.device, 0.2, order=1, frequencies=2)
    return float(uf.charge_current(eq).through("left")), uf.spin_density(eq).integral(), uf.free_energy(eq)


def writable(eq):
    own = copy.deepcopy(eq)
    for record in (own, own.problem.space, own.problem.coefficients, own.problem.pattern):
        for value in vars(record).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = True
    return own


CHANGED = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda eq: pickle.loads(pickle.dumps(eq)),
    "writable": writable,
    "Fortran order": lambda eq: replace(eq, riccati=np.asfortranarray(eq.riccati)),
    "single precision": lambda eq: replace(eq, riccati=eq.riccati.astype(np.complex64)),
    "other system": lambda eq: replace(
        eq,
        problem=replace(
            eq.problem,
            coefficients=replace(eq.problem.coefficients, table=np.array(eq.problem.coefficients.table, order="F")),
            space=replace(eq.problem.space, cells=eq.problem.space.cells.astype(np.int32)),
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGED)
def test_no_kernel_is_compiled_anew_for_a_copy(eq, change):
    expected = observed(eq)
    before = [len(kernel.signatures) for kernel in KERNELS]
    values = observed(CHANGED[change](eq))
    assert [len(kernel.signatures) for kernel in KERNELS] == before
    for one, other in zip(values, expected, strict=True):
        assert np.allclose(one, other, rtol=1e-5, atol=1e-6)


def arrays(thing, seen=None):
    """All arrays that records, tuples and mappings hold."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, tuple | list):
        for entry in thing:
            yield from arrays(entry, seen)
    elif isinstance(thing, dict):
        yield from arrays(list(thing.values()), seen)
    elif type(thing).__module__.startswith("usadelfem") and hasattr(thing, "__dict__"):
        yield from arrays(list(vars(thing).values()), seen)


@pytest.mark.parametrize("change", ["deepcopy", "pickle"])
def test_arrays_of_a_copy_are_read_only(eq, change):
    own = list(arrays(CHANGED[change](eq)))
    assert len(own) > 20
    assert not any(array.flags.writeable for array in own)


def test_results_are_read_only(eq):
    spec = uf.solve_spectrum(eq, [0.5, 1.0], broadening=0.2)
    field = uf.spin_density(eq)
    for array in (
        spec.energies, spec.states, eq.riccati, eq.frequencies, eq.weights, field.nodal, field.at_corners,
        field.quadrature, uf.density_of_states(spec).series.values, eq.device.mesh.p, eq.device.mesh.t,
    ):  # fmt: skip
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_list_that_was_given_does_not_change_a_material():
    gap, exchange = [1.0, 1.0, 1.0], [0.0, 0.0, 1.0]
    material, reservoir = uf.superconductor(gap=gap, exchange=exchange), uf.Reservoir(gap=1.0, exchange=exchange)
    gap[0], exchange[2] = "x", 7.0
    assert np.array_equal(material.gap, [1, 1, 1])
    assert np.array_equal(material.exchange, [0, 0, 1])
    assert np.array_equal(reservoir.exchange, [0, 0, 1])


@pytest.mark.parametrize("wrong", [np.ma.masked_array(np.ones(9), [1] + [0] * 8), [1.0, np.ma.masked]])
def test_masked_values_are_refused(wrong):
    with pytest.raises(uf.errors.DeviceError, match="D is"):
        uf.normal_metal(D=wrong)


def test_a_mesh_cannot_change_behind_a_device():
    x = np.linspace(0, 1, 5)
    mesh = uf.interval({"S": 1.0}, size=0.25)
    mesh = replace(mesh, doflocs=x[None])
    device = uf.Device(mesh, {"S": uf.superconductor(gap=1.0)})
    with pytest.raises(ValueError, match="read-only"):
        mesh.p[:] *= 100
    with pytest.raises(ValueError, match="read-only"):
        mesh.subdomains["S"][0] = 3
    x *= 100  # the array of the user stays one that can be written
    assert device.mesh is mesh
    assert device.mesh.p.max() == 1.0


def test_a_mesh_of_a_device_can_still_be_refined_and_named():
    mesh = uf.rectangle({"S": 1.0}, size=0.5)
    uf.Device(mesh, {"S": uf.superconductor(gap=1.0)})
    finer = mesh.refined().with_boundaries({"corner": lambda x: (x[0] == 0) & (x[1] < 0.3)})
    assert uf.Device(finer, {"S": uf.superconductor(gap=1.0)}).mesh.nelements == 4 * mesh.nelements
