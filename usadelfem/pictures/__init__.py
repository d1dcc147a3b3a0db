"""Pictures and tables of plain data: curves, maps, meshes; matplotlib, pyvista and xarray are loaded when asked for."""
