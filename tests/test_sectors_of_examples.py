"""The devices of the examples give the same numbers in their spin sector and with all spin matrices."""

import runpy
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.fem import problem as spectral
from usadelfem.fem.sector import full_sector

ROOT = Path(__file__).parent.parent
# Those in laboratory units, and the large ones, are studies of devices of the same kinds as others.
LARGE = (
    "spin_hall_superconductor", "controlled_junction", "critical_voltage", "domain_wall_film", "spin_galvanic_strip",
    "spin_filter_thermoelectric", "nanobridge_wall_3d",
)  # fmt: skip
EXAMPLES = [
    path for path in sorted((ROOT / "examples").glob("*.py"))
    if not path.stem.startswith("lab_") and path.stem not in LARGE
]  # fmt: skip
SOLVES = 2  # of each example
# Sectors of the first devices of examples; the others may be what they are.
EXPECTED = {
    "long_sns_junction": {"spinless"}, "proximity_vortex": {"spinless"}, "sns_minigap": {"spinless"},
    "sfs_junction": {"collinear"}, "spin_active_junction": {"collinear"}, "graded_phi0_junction": {"collinear"},
    "heavy_metal_3d": {"full"},
}  # fmt: skip
# What a script calls only when it is run itself.
GUARDED = {"phase_field_sweep": lambda scope: scope["current"](1.0, 0.5)}


class EnoughError(Exception):
    """Ends an example."""


def stop(*arguments, **options):
    raise EnoughError


class Twice:
    """Solves the devices of a script with and without their sector, for a few frequencies or energies."""

    def __init__(self, patch):
        self.names, self.patch, self.solve, self.spectrum = [], patch, uf.solve_equilibrium, uf.solve_spectrum
        self.driven = uf.solve_nonequilibrium

    def seen(self, name):
        self.names.append(name)
        if len(self.names) == SOLVES:
            raise EnoughError

    def solve_equilibrium(self, device, temperature, **options):
        name = spectral.build_problem(device, 1, temperature=temperature).sector.name
        few = options | {"frequencies": 3, "cutoff": None, "tolerance": 1e-2 if name == "full" else 1e-12}
        one = self.solve(device, temperature, **few)
        assert one.problem.sector.name == name
        if name != "full":
            two = self.solve(device, temperature, sector="full", **few)
            assert abs(one.riccati - two.riccati).max() < 1e-10
        self.seen(name)
        return one

    def solve_spectrum(self, source, energies, **options):
        few = {"energies": np.linspace(0, 2, 5), "broadening": 0.05}
        one = self.spectrum(source, **few)
        name = one.problem.sector.name
        if name != "full":
            given = isinstance(source, uf.Device)
            two = self.spectrum(source if given else self.whole(source), **few, **({"sector": "full"} if given else {}))
            states = [np.concatenate(spec.equation.matrices(spec.states), axis=-1) for spec in (one, two)]
            assert abs(states[0] - states[1]).max() < 1e-10
        self.seen(name)
        return one

    def whole(self, eq):
        return self.solve(eq.device, eq.temperature, frequencies=3, tolerance=1e-12, sector="full")

    def solve_nonequilibrium(self, device, **options):
        few = {"temperature": options["temperature"], "energies": np.array([0, 0.25, 1.5, 64.0]), "broadening": 0.05}
        one = self.driven(device, **few)
        if one.problem.sector.name != "full":
            two = self.driven(device, **few, sector="full")
            own, all_modes = uf.conductance_matrix(one).values, uf.conductance_matrix(two).values
            assert abs(own - all_modes).max() < 1e-8 * abs(all_modes).max()
        self.seen(one.problem.sector.name)
        return one

    def phase_diagram(self, make, values, **options):
        device = make(values[0])
        name = spectral.build_problem(device, 1).sector.name
        own = uf.study.stability(device, 0.2, frequencies=3)
        with self.patch.context() as patch:
            patch.setattr(spectral, "find_sector", lambda *arguments: full_sector())
            assert abs(uf.study.stability(device, 0.2, frequencies=3) - own) < 1e-10
        self.names.append(name)
        raise EnoughError

    def branch(self, make, parameter, interval, temperature, **options):
        self.solve_equilibrium(make(interval[0]), temperature)
        raise EnoughError


@pytest.fixture
def twice(monkeypatch, tmp_path):
    both = Twice(monkeypatch)
    solves = "solve_equilibrium", "solve_spectrum", "solve_nonequilibrium"
    for space, name in (*((uf, name) for name in solves), (uf, "branch"), (uf.study, "phase_diagram")):
        monkeypatch.setattr(space, name, getattr(both, name))
    for name in ("solve_normal_state", "write_vtk"):
        monkeypatch.setattr(uf, name, stop)
    monkeypatch.setattr(uf, "minigap", lambda *arguments, **options: 1.0)
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return both


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_the_devices_of_an_example_are_the_same_with_all_matrices(script, twice):
    with suppress(EnoughError):
        scope = runpy.run_path(str(script), run_name="example")
        GUARDED.get(script.stem, lambda scope: None)(scope)
    assert twice.names or "solve_normal_state" in script.read_text()
    assert set(twice.names) == EXPECTED.get(script.stem, set(twice.names))
