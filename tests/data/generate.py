"""Regenerate the Gmsh files that tests/test_mesh.py reads: ``python tests/data/generate.py`` (needs gmsh).

One geometry per cell type, in MSH 2.2 and 4.1, ASCII and binary. Region A is 0 < x < 1, region B is 1 < x < 3, both
with cross-section 1 x 1. The groups are the awkward ones on purpose: ``both`` repeats A and B, ``A`` is also the name
of a facet set, ``left`` is a reversed entity, and the facets at x = 3 are a group without a name (number 7).
"""

from pathlib import Path

import gmsh

HERE = Path(__file__).parent
FORMATS = {"22a": (2.2, 0), "22b": (2.2, 1), "41a": (4.1, 0), "41b": (4.1, 1)}


def build(dim: int, structured: bool) -> dict[float, int]:
    """Extrude a point at x = 0 to A and B; return the entity of dimension dim - 1 at each x."""
    geo = gmsh.model.geo
    entity = (0, geo.addPoint(0, 0, 0))
    for direction in [(0, 1, 0), (0, 0, 1)][: dim - 1]:
        entity = geo.extrude([entity], *direction, numElements=[1] if structured else [], recombine=structured)[1]
    ends = {0.0: entity[1]}
    for x, length in [(1.0, 1.0), (3.0, 2.0)]:
        new = geo.extrude([entity], length, 0, 0, numElements=[2] if structured else [], recombine=structured)
        entity = new[0]
        ends[x] = entity[1]
    geo.synchronize()
    return ends


def group(dim: int, ends: dict[float, int]) -> None:
    """Add the physical groups."""
    first, second = sorted(tag for _, tag in gmsh.model.getEntities(dim))
    for name, tags in {"A": [first], "B": [second], "both": [first, second]}.items():
        gmsh.model.addPhysicalGroup(dim, tags, name=name)
    gmsh.model.addPhysicalGroup(dim - 1, [ends[1.0]], name="A_B")
    gmsh.model.addPhysicalGroup(dim - 1, [ends[1.0]], name="A")
    gmsh.model.addPhysicalGroup(dim - 1, [-ends[0.0] if dim > 1 else ends[0.0]], name="left")
    gmsh.model.addPhysicalGroup(dim - 1, [ends[3.0]], tag=7)


def write(stem: str, dim: int, structured: bool) -> None:
    """Write one geometry in the four formats."""
    gmsh.clear()
    gmsh.option.setNumber("Mesh.MeshSizeMin", 0.9)
    group(dim, build(dim, structured))
    gmsh.model.mesh.generate(dim)
    for suffix, (version, binary) in FORMATS.items():
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.write(str(HERE / f"{stem}_{suffix}.msh"))


def main() -> None:
    """Write all the files."""
    gmsh.initialize()
    gmsh.option.setNumber("General.Verbosity", 2)
    gmsh.option.setNumber("General.NumThreads", 1)
    for stem, dim, structured in [
        ("line", 1, True),
        ("tri", 2, False),
        ("quad", 2, True),
        ("tet", 3, False),
        ("hex", 3, True),
    ]:
        write(stem, dim, structured)
    gmsh.finalize()


if __name__ == "__main__":
    main()
