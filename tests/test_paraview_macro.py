"""The macro for ParaView, with a stand-in for ParaView."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from devices import sfs

import usadelfem as uf

MACRO = Path(__file__).parent.parent / "docs" / "paraview" / "usadelfem.py"


def test_the_macro_colours_by_the_singlet_and_adds_arrows_for_currents(tmp_path, monkeypatch):
    pyvista = pytest.importorskip("pyvista")
    eq = uf.solve_equilibrium(sfs(), 0.2, frequencies=1)
    grid = pyvista.read(uf.write_vtk(tmp_path / "a.vtu", uf.charge_current(eq), uf.pair_amplitude(eq)))
    arrays = {
        name: SimpleNamespace(
            GetNumberOfComponents=lambda values=values: 1 if values.ndim == 1 else values.shape[1],
            GetRange=lambda component, values=values: (0.0, float(abs(values).max())),
        )
        for name, values in grid.point_data.items()
    }
    simple = MagicMock()
    source = simple.GetActiveSource.return_value
    source.PointData = arrays
    source.GetDataInformation.return_value.GetBounds.return_value = grid.bounds
    source.GetDataInformation.return_value.GetNumberOfPoints.return_value = grid.n_points
    monkeypatch.setitem(sys.modules, "paraview", SimpleNamespace(simple=simple))
    runpy.run_path(str(MACRO), run_name="__main__")
    simple.ColorBy.assert_any_call(simple.Show.return_value, ("POINTS", "pair_amplitude_f0_abs"))
    simple.Glyph.assert_called_once_with(Input=source, GlyphType="Arrow")
    assert simple.Glyph.return_value.OrientationArray == ["POINTS", "charge_current [e*N0*D*energy/length]"]
