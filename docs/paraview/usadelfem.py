"""ParaView macro: colours by the singlet amplitude, arrows for currents, smooth quadratic cells.

In ParaView: Macros, Import new macro..., this file; then open a file of `write_vtk` and press the button. It works on
the selected source, and takes the first array if there is no pair amplitude.
"""

from paraview import simple

ARROWS = 500  # so many of each current at most
LENGTH = 0.08  # of the longest arrow, in units of the size of the device
COLOURS = ([0.0, 0.0, 0.0], [0.8, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.8])


def chosen(names):
    """The array to colour by: the modulus of the singlet, of the gap, or the first one."""
    for ending in ("_f0_abs", "gap_abs"):
        for name in names:
            if name.partition(" [")[0].endswith(ending):
                return name
    return names[0] if names else None


def currents(data):
    """Names of the vectors that are currents."""
    named = [name for name in data.keys() if "current" in name]  # noqa: SIM118 - it is no mapping
    return [name for name in named if data[name].GetNumberOfComponents() == 3]


def add_arrows(source, view, name, colour, size):
    """Arrows along a vector, their length that of the vector."""
    largest = source.PointData[name].GetRange(-1)[1]
    if not largest > 0:
        return
    arrows = simple.Glyph(Input=source, GlyphType="Arrow")
    arrows.OrientationArray = ["POINTS", name]
    arrows.ScaleArray = ["POINTS", name]
    arrows.ScaleFactor = LENGTH * size / largest
    arrows.GlyphMode = "Every Nth Point"
    arrows.Stride = 1 + source.GetDataInformation().GetNumberOfPoints() // ARROWS
    simple.RenameSource(f"arrows {name}", arrows)
    shown = simple.Show(arrows, view)
    simple.ColorBy(shown, None)
    shown.AmbientColor = shown.DiffuseColor = colour


def main():
    """Draw the selected source."""
    source = simple.GetActiveSource()
    if source is None:
        raise RuntimeError("select a file of write_vtk in the Pipeline Browser first")
    view = simple.GetActiveViewOrCreate("RenderView")
    source.UpdatePipeline()
    bounds = source.GetDataInformation().GetBounds()
    sides = [bounds[2 * k + 1] - bounds[2 * k] for k in range(3)]
    shown = simple.Show(source, view)
    shown.NonlinearSubdivisionLevel = 3
    name = chosen(list(source.PointData.keys()))
    if name is not None:
        simple.ColorBy(shown, ("POINTS", name))
        shown.RescaleTransferFunctionToDataRange(True, False)
        shown.SetScalarBarVisibility(view, True)
    for k, vector in enumerate(currents(source.PointData)):
        add_arrows(source, view, vector, COLOURS[k % len(COLOURS)], max(sides))
    if not sides[2]:
        view.InteractionMode = "2D"
    simple.ResetCamera(view)
    simple.Render(view)


main()
