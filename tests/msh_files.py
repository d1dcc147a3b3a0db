"""Gmsh files for the tests: those of tests/data, and small ones written on the spot."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
FORMATS = ["22a", "22b", "41a", "41b"]
FILES = [f"{kind}_{fmt}" for kind in ("line", "tri", "quad", "tet", "hex") for fmt in FORMATS]

SQUARE = ["0 0 0", "1 0 0", "1 1 0", "0 1 0"]
TRIANGLES = ["2 2 1 1 1 2 3", "2 2 1 1 1 3 4"]
F = ['2 1 "F"']


def msh(folder, nodes=SQUARE, elements=TRIANGLES, names=F):
    """An MSH 2.2 file; an element is 'type n_tags physical entity nodes...'."""
    sections = {
        "PhysicalNames": [str(len(names)), *names],
        "Nodes": [str(len(nodes)), *(f"{k + 1} {x}" for k, x in enumerate(nodes))],
        "Elements": [str(len(elements)), *(f"{k + 1} {x}" for k, x in enumerate(elements))],
    }
    text = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat"]
    for name, lines in sections.items():
        text += [f"${name}", *lines, f"$End{name}"]
    path = folder / "mesh.msh"
    path.write_text("\n".join(text) + "\n")
    return path


def edited(folder, stem, old, new):
    """A copy of a file of the test data with a piece of text replaced."""
    text = (DATA / f"{stem}.msh").read_text()
    assert old in text
    path = folder / "mesh.msh"
    path.write_text(text.replace(old, new))
    return path
