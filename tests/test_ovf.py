"""OVF files of micromagnetic programs against a writer of our own."""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import DeviceError
from usadelfem.textures.ovf import from_ovf

X, Y, Z = np.eye(3)

TITLES = {1: "# OOMMF: rectangular mesh v1.0", 2: "# OOMMF OVF 2.0"}
# check values in network byte order, as the OOMMF user's guide prints them
CHECKS = {4: bytes.fromhex("4996B438"), 8: bytes.fromhex("42DC12218377DE40")}


def data(values, representation, version):
    """The data block: vectors of shape (nx, ny, nz, 3), x fastest."""
    vectors = values.transpose(2, 1, 0, 3)
    if representation.lower() == "text":
        return "".join(f"{a:.17g} {b:.17g} {c:.17g} \n" for a, b, c in vectors.reshape(-1, 3)).encode()
    size = int(representation[-1])
    check = CHECKS[size] if version == 1 else CHECKS[size][::-1]
    return check + vectors.astype(f"{'>' if version == 1 else '<'}f{size}").tobytes() + b"\n"


def write(path, values, representation="Text", version=2, base=(0.5, 0.5, 0.5), step=(1.0, 1.0, 1.0), **header):
    """An OVF file of vectors (nx, ny, nz, 3); further header lines replace those of the same name, None removes one."""
    nodes = values.shape[:3]
    lines = {"Title": "m", "meshtype": "rectangular", "meshunit": "m"}
    for axis, n, first, size in zip("xyz", nodes, base, step, strict=True):
        lines |= {f"{axis}min": first - size / 2, f"{axis}max": first + (n - 0.5) * size, f"{axis}base": first}
        lines |= {f"{axis}nodes": n, f"{axis}stepsize": size}
    extra = {1: {"valueunit": "A/m", "valuemultiplier": 1}, 2: {"valuedim": 3, "valueunits": "1 1 1"}}
    lines |= extra[version] | {"Desc": "Total simulation time:  0  s"} | header
    head = [TITLES[version], "# Segment count: 1", "# Begin: Segment", "# Begin: Header"]
    head += [f"# {key}: {value}" for key, value in lines.items() if value is not None]
    head += ["# End: Header", f"# Begin: Data {representation}", ""]
    tail = f"# End: Data {representation}\n# End: Segment\n"
    path.write_bytes("\n".join(head).encode() + data(values, representation, version) + tail.encode())
    return path


def vectors(*nodes, seed=2):
    return np.random.default_rng(seed).normal(size=(*nodes, 3))


def centres(nodes, base=(0.5, 0.5, 0.5), step=(1.0, 1.0, 1.0)):
    """Cell centres, shape (3, nx, ny, nz)."""
    sides = [first + size * np.arange(n) for n, first, size in zip(nodes, base, step, strict=True)]
    return np.array(np.meshgrid(*sides, indexing="ij"))


def unit(m):
    """Directions of vectors (..., 3), shape (3, ...)."""
    return np.moveaxis(m / np.linalg.norm(m, axis=-1, keepdims=True), -1, 0)


@pytest.fixture
def ovf(tmp_path):
    return tmp_path / "m.ovf"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("representation", "accuracy"), [("Text", 1e-14), ("Binary 4", 1e-6), ("Binary 8", 1e-14)])
def test_what_was_written_is_read(ovf, version, representation, accuracy):
    values = vectors(4, 3, 2)
    write(ovf, values, representation, version)
    assert from_ovf(ovf, 3.0)(centres((4, 3, 2))) == pytest.approx(3 * unit(values), abs=3 * accuracy)


def test_data_of_the_other_byte_order_are_recognised_by_the_check_value(ovf):
    values = vectors(2, 2, 2)
    content = write(ovf, values, "Binary 8", 2).read_bytes()
    ovf.write_bytes(content.replace(TITLES[2].encode(), TITLES[1].encode()))
    assert from_ovf(ovf, 1.0)(centres((2, 2, 2))) == pytest.approx(unit(values))


@pytest.mark.parametrize("representation", ["text", "BINARY 4"])
def test_case_blanks_and_windows_line_ends_in_the_header_do_not_matter(ovf, representation):
    values = vectors(3, 2, 1)
    head, mark, rest = write(ovf, values, representation, xnodes=None).read_bytes().partition(b"# Begin: Data ")
    head = head.replace(b"# End: Header", b"#  X Nodes :3 ## along x\n# End: Header")
    ovf.write_bytes((head + mark.lower()).replace(b"\n", b"\r\n") + rest.replace(b"\n", b"\r\n", 1))
    assert from_ovf(ovf, 1.0)(centres((3, 2, 1))) == pytest.approx(unit(values), abs=1e-6)


def test_comments_in_text_data_are_skipped(ovf):
    values = vectors(2, 1, 1)
    ovf.write_bytes(write(ovf, values).read_bytes().replace(b" \n", b" # a comment 1 2 3\n"))
    assert from_ovf(ovf, 1.0)(centres((2, 1, 1))) == pytest.approx(unit(values))


def test_a_grid_without_base_begins_at_its_lower_corner(ovf):
    values, grid = vectors(2, 2, 2), {"base": (-3.0, 1.0, 0.0), "step": (0.5, 1.0, 2.0)}
    write(ovf, values, **grid, xbase=None, ybase=None, zbase=None)
    assert from_ovf(ovf, 1.0)(centres((2, 2, 2), **grid)) == pytest.approx(unit(values))


def test_a_negative_multiplier_turns_the_vectors_round(ovf):
    write(ovf, vectors(1, 1, 1), version=1, valuemultiplier=-8e5)
    assert from_ovf(ovf, 1.0)(np.full(3, 0.5)) == pytest.approx(-unit(vectors(1, 1, 1))[:, 0, 0, 0])


def test_the_direction_of_a_linear_field_is_exact_between_the_centres(ovf):
    slope, offset = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.3], [-0.2, 0.1, 0.2]]), np.array([2.0, -1.0, 3.0])
    grid = {"base": (-1.0, 0.2, 3.0), "step": (0.5, 0.25, 1.0)}
    write(ovf, np.moveaxis(np.tensordot(slope, centres((6, 5, 4), **grid), 1), 0, -1) + offset, **grid)
    x = np.random.default_rng(3).uniform((-1.0, 0.2, 3.0), (1.5, 1.2, 6.0), (30, 3))
    assert from_ovf(ovf, 1.0)(x.T) == pytest.approx(unit(x @ slope.T + offset))


def test_the_field_is_constant_between_the_outermost_centres_and_the_edge(ovf):
    write(ovf, vectors(3, 2, 1))
    x = np.array([[0.0, 3.0], [0.0, 2.0], [0.0, 1.0]])
    assert from_ovf(ovf, 1.0)(x) == pytest.approx(unit(vectors(3, 2, 1)[[0, 2], [0, 1], 0]))


def test_a_cell_without_magnetisation_has_no_field_and_does_not_turn_its_neighbours(ovf):
    write(ovf, np.array([[0.0, 0.0, 0.0], [0.0, 7.0, 0.0]]).reshape(2, 1, 1, 3))
    h = from_ovf(ovf, 2.0)(np.array([[0.1, 0.9, 1.1, 1.9]]))
    assert np.transpose(h) == pytest.approx(np.array([0 * Y, 0 * Y, 2 * Y, 2 * Y]))


def test_the_field_keeps_its_size_between_opposite_vectors(ovf):
    write(ovf, np.array([Z, -Z]).reshape(2, 1, 1, 3))
    assert np.linalg.norm(from_ovf(ovf, 2.0)(np.array([[0.9, 1.0, 1.1]])), axis=0) == pytest.approx(2.0)


def test_scale_and_origin_take_the_file_to_the_mesh(ovf):
    nodes, nano = (3, 2, 2), {"base": (5e-10, 1e-9, 2e-9), "step": (1e-9, 2e-9, 4e-9)}
    write(ovf, vectors(*nodes), **nano)
    x = centres(nodes, base=(0.5 + 10, 1 - 20, 2 + 30), step=(1, 2, 4))
    h = from_ovf(ovf, 1.0, scale=1e9, origin=(10, -20, 30))
    assert h(x) == pytest.approx(unit(vectors(*nodes)))


def test_a_plane_mesh_in_one_layer_needs_no_choice(ovf):
    write(ovf, vectors(3, 2, 1))
    x = centres((3, 2, 1))[:2, ..., 0]
    assert from_ovf(ovf, 1.0)(x) == pytest.approx(unit(vectors(3, 2, 1)[:, :, 0]))


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_a_plane_mesh_lies_in_the_layer_of_choice(ovf, layer):
    write(ovf, vectors(3, 2, 3))
    x = centres((3, 2, 3))[:2, ..., 0]
    assert from_ovf(ovf, 1.0, layer=layer)(x) == pytest.approx(unit(vectors(3, 2, 3)[:, :, layer]))


def test_the_mean_of_the_layers_is_taken_on_request(ovf):
    write(ovf, vectors(3, 2, 3))
    x = centres((3, 2, 3))[:2, ..., 0]
    assert from_ovf(ovf, 1.0, layer="mean")(x) == pytest.approx(unit(vectors(3, 2, 3).mean(axis=2)))


@pytest.mark.parametrize(
    ("nodes", "layer"), [((3, 1, 1), None), ((3, 4, 1), 2), ((3, 4, 1), (2, 0)), ((3, 4, 2), (2, 1))]
)
def test_a_line_lies_in_the_row_of_choice(ovf, nodes, layer):
    write(ovf, vectors(*nodes))
    row, height = (0, 0) if layer is None else (layer, 0) if isinstance(layer, int) else layer
    h = from_ovf(ovf, 1.0, layer=layer)(np.array([[0.5, 1.5, 2.5]]))
    assert h == pytest.approx(unit(vectors(*nodes)[:, row, height]))


def test_a_mesh_in_the_xz_plane_lies_in_a_row_along_y(ovf):
    write(ovf, vectors(3, 4, 2))
    x = centres((3, 4, 2))[[0, 2], :, 0]
    assert from_ovf(ovf, 1.0, plane="xz", layer=3)(x) == pytest.approx(unit(vectors(3, 4, 2)[:, 3]))


@pytest.mark.parametrize(
    ("dim", "layer", "message"),
    [
        (2, None, "layer is None; for a mesh along x, y .*3 along z, as an index for each axis, or 'mean'"),
        (2, 3, "layer is 3; .*3 along z"),
        (1, 1, "layer is 1; .*4 along y and 3 along z"),
        (3, 0, "layer is 0; for a mesh along x, y, z .*allowed is None"),
    ],
)
def test_a_layer_that_does_not_fit_the_mesh_is_named(ovf, dim, layer, message):
    h = from_ovf(write(ovf, vectors(2, 4, 3)), 1.0, layer=layer)
    with pytest.raises(DeviceError, match=message):
        h(np.full((dim, 1), 0.5))


def test_points_outside_of_the_grid_are_named_with_its_extent(ovf):
    h = from_ovf(write(ovf, vectors(3, 2, 1)), 1.0, scale=2.0)
    with pytest.raises(DeviceError, match=r"x = 1, y = 4.5 is outside of .*m.ovf \(x from 0 to 6, y from 0 to 4, z"):
        h(np.array([[1.0, 1.0], [1.0, 4.5]]))


def test_the_outermost_cells_are_continued_on_request(ovf):
    h = from_ovf(write(ovf, vectors(3, 2, 1)), 1.0, outside="nearest")
    assert h(np.array([[-9.0, 9.0], [0.1, 5.0]])) == pytest.approx(h(np.array([[0.1, 2.9], [0.1, 1.9]])))


def test_a_device_takes_a_file_as_exchange_field(ovf):
    h = from_ovf(write(ovf, vectors(2, 2, 1)), 1.0, scale=0.5)
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.25)
    assert "exchange=from_ovf(x)" in repr(uf.Device(mesh, {"F": uf.ferromagnet(exchange=h)}))


def test_a_device_that_sticks_out_of_the_grid_is_refused(ovf):
    h = from_ovf(write(ovf, vectors(2, 2, 1)), 1.0, scale=0.4)
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.25)
    with pytest.raises(DeviceError, match=r"region 'F'.*outside of"):
        uf.Device(mesh, {"F": uf.ferromagnet(exchange=h)})


# ---- damaged files ----


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"OVF file not found: .*nowhere\.ovf"):
        from_ovf(tmp_path / "nowhere.ovf", 1.0)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"# vtk DataFile Version 3.0\n"])
def test_a_file_of_another_kind_is_named(ovf, content):
    ovf.write_bytes(content)
    with pytest.raises(DeviceError, match=r"m\.ovf: it does not begin with '# OOMMF'"):
        from_ovf(ovf, 1.0)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"meshtype": "irregular"}, "its mesh is of type 'irregular'; allowed is 'rectangular'"),
        ({"valuedim": 1}, "its header has valuedim: 1; allowed is 3"),
        ({"Segment count": 2}, "its header has segmentcount: 2; allowed is 1"),
        ({"ynodes": None}, "its header has no ynodes"),
        ({"ynodes": 1.5}, "its header has ynodes: 1.5; allowed is an integer"),
        ({"ynodes": 0}, r"it has \[3, 0, 1\] cells"),
        ({"xstepsize": "one"}, "its header has xstepsize: one; allowed is a number"),
        ({"xstepsize": -1.0}, "it has .* cells of size .*positive"),
        ({"zbase": None, "zmin": None}, "its header has no zmin"),
        ({"xnodes": 4}, "it has 18 numbers, but its header says 24"),
    ],
)
def test_a_header_that_cannot_be_used_is_named(ovf, header, message):
    write(ovf, vectors(3, 2, 1), **header)
    with pytest.raises(DeviceError, match=rf"m\.ovf: {message}"):
        from_ovf(ovf, 1.0)


def test_a_file_that_ends_in_its_header_is_named(ovf):
    ovf.write_bytes(write(ovf, vectors(1, 1, 1)).read_bytes().partition(b"# Begin: Data")[0])
    with pytest.raises(DeviceError, match="it has no line '# Begin: Data"):
        from_ovf(ovf, 1.0)


@pytest.mark.parametrize("representation", ["Text", "Binary 4", "Binary 8"])
def test_truncated_data_are_named(ovf, representation):
    content = write(ovf, vectors(3, 2, 1), representation).read_bytes()
    ovf.write_bytes(content[: content.index(b"# End: Data") - 6])
    with pytest.raises(DeviceError, match="it is truncated"):
        from_ovf(ovf, 1.0)


@pytest.mark.parametrize("size", [4, 8])
def test_a_wrong_check_value_is_named(ovf, size):
    content = write(ovf, vectors(3, 2, 1), f"Binary {size}").read_bytes()
    ovf.write_bytes(content.replace(CHECKS[size][::-1], b"\r" * size))
    with pytest.raises(DeviceError, match="do not begin with the check value 1234567"):
        from_ovf(ovf, 1.0)


def test_more_binary_data_than_the_header_says_are_named(ovf):
    write(ovf, vectors(3, 2, 1), "Binary 8", xnodes=2)
    with pytest.raises(DeviceError, match="its data do not end after the 12 numbers"):
        from_ovf(ovf, 1.0)


def test_an_unknown_representation_is_named(ovf):
    ovf.write_bytes(write(ovf, vectors(1, 1, 1)).read_bytes().replace(b"Data Text", b"Data Binary 2"))
    with pytest.raises(DeviceError, match="its data are 'Binary 2'; allowed are 'Text', 'Binary 4' and 'Binary 8'"):
        from_ovf(ovf, 1.0)


def test_text_that_is_no_number_is_named(ovf):
    content = write(ovf, np.full((1, 1, 1, 3), 0.5)).read_bytes()
    ovf.write_bytes(content.replace(b"0.5 \n", b"half\n"))
    with pytest.raises(DeviceError, match=r"its data are not numbers: .*half"):
        from_ovf(ovf, 1.0)


@pytest.mark.parametrize("representation", ["Text", "Binary 4"])
def test_values_that_are_not_finite_are_named(ovf, representation):
    write(ovf, np.where(np.arange(3) == 1, np.nan, vectors(2, 1, 1)), representation)
    with pytest.raises(DeviceError, match="2 of its 6 numbers are not finite"):
        from_ovf(ovf, 1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"h": np.inf}, "h is inf"),
        ({"scale": 0.0}, "scale is 0.0; allowed is a real number > 0"),
        ({"origin": (0, 0)}, r"origin is \(0, 0\); allowed is 3 real components"),
        ({"layer": "top"}, "layer is 'top'"),
        ({"layer": 0.5}, "layer is 0.5"),
        ({"layer": (0, 0.5)}, r"layer is \(0, 0.5\)"),
        ({"outside": "zero"}, "outside is 'zero'; allowed are 'error' and 'nearest'"),
        ({"plane": "x"}, "plane is 'x'"),
    ],
)
def test_parameters_of_a_file_out_of_range_are_named(ovf, given, message):
    write(ovf, vectors(1, 1, 1))
    with pytest.raises(DeviceError, match=f"from_ovf: {message}"):
        from_ovf(ovf, **{"h": 1.0, **given})
