"""Mesh every ``.geo`` file of this directory: ``python meshes/generate.py`` writes the ``.msh`` files beside them.

Needs the Gmsh package. The files are the same, byte for byte, with the same version of Gmsh.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
DIMENSIONS = {"film": 2, "sfs": 2, "sfs_trilayer": 2, "cross": 2, "wire": 3}
OPTIONS = {
    "General.NumThreads": 1,
    "General.Verbosity": 2,
    "Mesh.Algorithm": 6,
    "Mesh.Algorithm3D": 1,
    "Mesh.ElementOrder": 1,
    "Mesh.MshFileVersion": 4.1,
    "Mesh.Binary": 0,
    "Mesh.SaveAll": 0,
}


def main() -> None:
    """Write all the meshes."""
    try:
        import gmsh
    except ImportError as error:
        sys.exit(f"cannot import Gmsh ({error}); install it with: pip install 'usadelfem[gmsh]'")
    for name, dim in DIMENSIONS.items():
        gmsh.initialize(readConfigFiles=False)
        for option, value in OPTIONS.items():
            gmsh.option.setNumber(option, value)
        gmsh.open(str(HERE / f"{name}.geo"))
        gmsh.model.mesh.generate(dim)
        gmsh.write(str(HERE / f"{name}.msh"))
        print(f"meshes/{name}.msh")
        gmsh.finalize()


if __name__ == "__main__":
    main()
