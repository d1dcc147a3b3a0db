"""The table of columns: a row that is half filled or cannot be right is an error when the package is imported."""

import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.physics.columns import LOCAL, NUMBER, Column, Vertex, decay_rate, spin_relaxation

SCATTERING = next(row for row in LOCAL if row.torque == "relaxation" and row.breaks_pairs)
GIVEN = {item.name: getattr(SCATTERING, item.name) for item in fields(Column)}


@pytest.mark.parametrize("name", GIVEN)
def test_a_row_needs_all_of_its_entries(name):
    with pytest.raises(TypeError, match=name):
        Column(**{key: value for key, value in GIVEN.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "tau"), ("coefficients", ()), ("coefficients", ("speed",)), ("fill", None), ("exchanged", 0),
        ("exchanged", -1), ("torque", None), ("torque", "friction"), ("breaks_pairs", False), ("spin", ("vector", 0)),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_right_names_what_is_wrong(name, value):
    with pytest.raises(ValueError, match=rf"column .*: .*{name}.* cannot be right"):
        Column(**GIVEN | {name: value})


def test_a_vertex_that_does_nothing_is_refused():
    with pytest.raises(ValueError, match="the unit matrix scatters nothing"):
        Vertex(-1, tau3=False)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"theta": Rule', '"tau_v": Rule("time", positive=True),\n    "theta": Rule', "no column is made of tau_v"),
        ('coefficients=("depairing",)', 'coefficients=("orbital",)', "column DEPAIRING: coefficients cannot be right"),
        ('name="D", ', 'name="N0", ', "two columns have the same name"),
        ("fill=np.imag, **PLAIN", "**PLAIN", "missing 1 required keyword-only argument: 'fill'"),
        ('"su2": Rule', '"tau_v": Rule("time"),\n    "su2": Rule', "no column is made of tau_v"),
        ('"dresselhaus", "su2"', '"dresselhaus", "D"', "no column is made of su2"),
    ],
)
def test_a_half_filled_row_is_an_error_at_import(tmp_path, old, new, complaint):
    assert complaint in imported(tmp_path, "physics/columns.py", old, new)


def test_a_coefficient_that_materials_do_not_have_is_an_error_at_import(tmp_path):
    field = "    depairing: Coefficient = 0.0\n"
    assert "differ by {'depairing'}" in imported(tmp_path, "device/material.py", field, "", count=1)


def imported(folder, file, old, new, count=-1):
    """What the import of a copy of the package with an edited file says."""
    root = Path(uf.__file__).parent
    shutil.copytree(root, folder / "usadelfem", ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "usadelfem" / file).read_text()
    assert old in text
    (folder / "usadelfem" / file).write_text(text.replace(old, new, count))
    command = [sys.executable, "-c", "import usadelfem"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode
    return run.stderr


def table(**values):
    row = np.zeros(len(LOCAL))
    for number, column in enumerate(LOCAL):
        if column.coefficients[0] in values:
            row[number] = column.filled(np.broadcast_to(values[column.coefficients[0]], 3))
    return row


@pytest.mark.parametrize("name", ["tau_so", "tau_sf"])
def test_spins_of_a_normal_metal_relax_at_the_inverse_of_a_time(name):
    assert spin_relaxation(table(**{name: 0.4})) == pytest.approx([2.5, 2.5, 2.5])
    assert decay_rate(table(**{name: 0.4})) == pytest.approx(2.5)


def test_a_spin_relaxes_at_the_mean_of_the_rates_across_it():
    assert spin_relaxation(table(tau_so=(0.5, 1.0, np.inf))) == pytest.approx([0.5, 1.0, 1.5])


def test_depairing_leaves_the_spins_of_a_normal_metal_alone():
    row = np.zeros(len(LOCAL))
    row[NUMBER["DEPAIRING"]] = 2.0
    assert not spin_relaxation(row).any()
