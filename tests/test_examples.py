"""Every script in examples/ runs as a user would run it, and leaves the files it promises."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
OUTPUT = {
    "sfs_junction": ("sfs.vtu", "sfs_current_phase.png", "sfs_triplets.png"),
    "long_sns_junction": ("long_sns_junction.png",),
    "spiral_triplets": ("spiral_triplets.png",),
    "wire_3d": ("wire.vtu", "wire_3d.png"),
    "vortex_torque": ("vortex_torque.png", "vortex_torque.vtu"),
    "spin_galvanic_strip": ("spin_galvanic_strip.png",),
    "graded_phi0_junction": ("graded_phi0_junction.png",),
    "rashba_junction": ("rashba_junction.png",),
    "hall_bar": ("hall_bar.png", "hall_bar.vtu"),
    "heavy_metal_3d": ("heavy_metal_3d.png", "heavy_metal_3d.vtu"),
    "sf_bilayer_tc": ("sf_bilayer_tc.png",),
    "spin_valve": ("spin_valve.png",),
    "spin_active_junction": ("spin_active_junction.png",),
    "vortex_disc": ("vortex_disc.png", "vortex_disc.vtu"),
    "proximity_vortex": ("proximity_vortex.png", "proximity_vortex.vtu"),
    "sns_minigap": ("sns_minigap.png",),
    "phase_field_sweep": ("phase_field_sweep.png",),
    "domain_wall_film": ("domain_wall_film.png", "domain_wall_film.vtu"),
    "triplet_sensitivity": ("triplet_sensitivity.png", "triplet_sensitivity.vtu"),
    "andreev_interferometer": ("andreev_interferometer.png",),
    "spin_filter_thermoelectric": ("spin_filter_thermoelectric.png",),
    "spin_valve_nonlocal": ("spin_valve_nonlocal.png",),
    "spin_hall_superconductor": ("spin_hall_superconductor.png",),
    "controlled_junction": ("controlled_junction.png",),
    "critical_voltage": ("critical_voltage.png",),
    "nanobridge_wall_3d": ("nanobridge_wall_3d.png", "nanobridge_wall_3d.vtu"),
    "lab_ldos_movie": ("lab_ldos_movie.gif", "lab_ldos_movie.vtkhdf"),
}


def run(script, folder):
    (folder / "meshes").symlink_to(ROOT / "meshes")
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )


@pytest.fixture(scope="module")
def gallery():
    """The folder where the documentation, which is being built beside the tests, runs the examples; None if it is not.

    Waits for its end, which `.ci/run` writes to a file with the status.
    """
    folder = os.environ.get("USADELFEM_GALLERY")
    if folder is None:
        return None
    status = Path(folder) / "docs" / "_build" / "status"
    while not status.exists():
        sleep(1)
    assert status.read_text().strip() == "0"
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)  # of which the gallery takes the most
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_writes_its_files(script, tmp_path, gallery):
    folder = gallery
    if folder is None:
        folder = tmp_path
        done = run(script, tmp_path)
        assert done.returncode == 0, done.stderr
    for name in OUTPUT.get(script.stem, (f"{script.stem}.png",)):
        assert (Path(folder) / "output" / name).stat().st_size > 10_000


def test_examples_are_short():
    for script in EXAMPLES:
        statements = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.stmt)]
        assert len(statements) <= 70, script.name
