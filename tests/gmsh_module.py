"""Gmsh where it is installed and its libraries are, else None."""

import pytest

try:
    import gmsh
except (ImportError, OSError):  # OSError: a library of the system is missing
    gmsh = None

needs_gmsh = pytest.mark.skipif(gmsh is None, reason="gmsh cannot be imported")
