"""`info`: what a mesh file holds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..mesh.measures import MeshMeasures, Part, measure
from ..mesh.overlaps import describe_overlap
from ..mesh.read import read_mesh

SUMMARY = "show what a mesh file holds: regions, facet sets, extents, edges, quality of its cells"
SIZES = ("points", "length", "area", "volume")  # by dimension


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may follow the name of the command."""
    parser.add_argument("mesh", help="a file that read_mesh reads: .msh of Gmsh, .vtu, .med, ...")
    parser.add_argument("--merge", type=float, metavar="DISTANCE", help="join nodes that are closer, as in read_mesh")


def run(given: argparse.Namespace) -> int:
    """Read the file and print its tables."""
    mesh = read_mesh(given.mesh, merge=given.merge)
    print(f"{given.mesh}: {described(measure(mesh))}")
    complaint = describe_overlap(mesh)
    if complaint:
        print(f"\n{complaint}")
    return 0


def described(found: MeshMeasures) -> str:
    """What was measured, in lines."""
    extents = ", ".join(
        f"{axis} {low:.6g} to {high:.6g}" for axis, (low, high) in zip("xyz", found.extents, strict=False)
    )
    lines = [
        f"{found.dim}D, {found.cells} {found.kind}, {found.vertices} vertices",
        f"extents   {extents}",
        f"edges     {found.edges[0]:.4g} to {found.edges[1]:.4g}",
    ]
    if found.quality is not None:
        worst, mean = found.quality
        lines.append(f"quality   {worst:.2f} at worst, {mean:.2f} on average (1: regular, 0: flat)")
    regions = [(one.name, f"{one.count}", f"{one.size:.6g}") for one in found.regions]
    lines += ["", *table([("region", "cells", SIZES[found.dim]), *regions])]
    if not found.facet_sets:
        return "\n".join([*lines, "", "no facet sets: there is nothing to put a contact on"])
    head = ("facet set", "facets", SIZES[found.dim - 1], "inside the mesh")
    return "\n".join([*lines, "", *table([head, *map(_row, found.facet_sets)])])


def _row(one: Part) -> tuple[str, ...]:
    return one.name, f"{one.count}", f"{one.size:.6g}", one.inside


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, the first column to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *others = widths
    return [
        "  ".join([f"{row[0]:<{first}}", *(f"{text:>{width}}" for text, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]
