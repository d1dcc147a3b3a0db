"""Damaged and foreign files: the numbers that were written, or one named error."""

import h5py
import numpy as np
import pytest
from damage import numbers, outcomes

import usadelfem as uf
from usadelfem.errors import CheckpointError, FileError
from usadelfem.export import store
from usadelfem.export.hdf5 import seal
from usadelfem.fem.interfaces import COLUMNS
from usadelfem.physics import columns
from usadelfem.physics import interface as junction

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells


def double(x):
    return 2.0 * x


def pair(a, b):
    return {"I/Ic": a + 1j * b, "list": [a, b]}


@pytest.fixture(scope="module")
def equilibrium():
    device = uf.Device(
        uf.rectangle({"S": 1.0, "N": 1.0}, width=0.5, size=0.25),
        {"S": uf.superconductor(gap=1.0), "N": uf.normal_metal(theta=0.1)},
        {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0, barrier=uf.Tunnel(conductance=1.0))},
        A=(0.1, 0.0),
    )
    return uf.solve_equilibrium(device, 0.3, frequencies=2, order=1)


@pytest.fixture
def result(equilibrium, tmp_path):
    return uf.save(tmp_path / "result.h5", equilibrium)


@pytest.fixture
def checkpoint(tmp_path):
    uf.sweep(pair, {"a": [1.0, 2.0], "b": [0.5, 0.6, 0.7]}, checkpoint=tmp_path / "run.h5")
    return tmp_path / "run.h5"


def change(path, place, index=None, **attributes):
    """Change an array or attributes of a file without its checksums."""
    with h5py.File(path, "r+") as file:
        if index is not None:
            file[place][index] += 1
        file[place].attrs.update(attributes)


def reseal(file, name):
    """Make the checksums of all groups that an item is in fit again."""
    while name:
        name = name.rpartition("/")[0]
        seal(file[name or "/"])


def arrays(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def test_copies_of_a_result_damaged_at_random_load_as_written_or_not_at_all(result):
    count, slowest = outcomes(result, 60)
    assert count["other"] == count["unnamed"] == 0 < count["refused"]
    assert slowest < 10


def test_copies_of_a_checkpoint_damaged_at_random_load_as_written_or_not_at_all(checkpoint):
    count, slowest = outcomes(checkpoint, 300)
    assert count["other"] == count["unnamed"] == 0 < count["refused"]
    assert slowest < 10


def test_a_flipped_bit_anywhere_in_a_small_file_counts_or_is_of_no_importance(tmp_path):
    path = uf.save(tmp_path / "sweep.h5", uf.sweep(double, [1.0, 2.0]))
    data, expected = path.read_bytes(), numbers(uf.load(path))
    for place in range(0, len(data), 11):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            found = numbers(uf.load(path))
        except FileError:
            continue
        assert all(map(np.array_equal, found, expected)), place


def test_the_arrays_of_a_result_are_compared_with_their_checksums(result):
    whole = result.read_bytes()
    for name in arrays(result)[::4]:
        with h5py.File(result, "r+") as file:
            if not file[name].size or file[name].dtype == bool:
                continue
            file[name][...] = file[name][...] + 1
        with pytest.raises(FileError, match=rf"^file {result} is damaged: /{name} does not fit its checksum"):
            uf.load(result)
        result.write_bytes(whole)


def test_numbers_that_are_attributes_have_a_checksum_too(result):
    with h5py.File(result) as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if item.attrs.get("kind") == b"number" else None)
    whole = result.read_bytes()
    for name in found[::40]:
        change(result, name, value=17.5)
        with pytest.raises(FileError, match=f"/{name} does not fit its checksum"):
            uf.load(result)
        result.write_bytes(whole)
    assert found


def test_a_changed_value_of_a_checkpoint_is_refused_by_load_and_computed_anew_by_the_sweep(tmp_path):
    path = tmp_path / "run.h5"
    uf.sweep(double, [1.0, 2.0, 3.0], checkpoint=path)
    change(path, "values", 1)
    with pytest.raises(FileError, match=r"run.h5 is damaged: 1 of 3 points do not fit .* the first is number 1"):
        uf.load(path)
    assert uf.sweep(double, [1.0, 2.0, 3.0], checkpoint=path).values.tolist() == [2, 4, 6]
    assert uf.load(path).values.tolist() == [2, 4, 6]


def test_changed_parameters_of_a_checkpoint_are_refused(checkpoint):
    change(checkpoint, "parameters/b", 0)
    with pytest.raises(FileError, match="/parameters/b does not fit its checksum"):
        uf.load(checkpoint)


def test_a_damaged_checkpoint_is_refused_by_the_sweep_in_the_same_words(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"run.h5 is damaged: .*move it away to begin anew"):
        uf.sweep(pair, {"a": [1.0, 2.0], "b": [0.5, 0.6, 0.7]}, checkpoint=checkpoint)


@pytest.mark.parametrize("kind", ["text", "empty", "hdf5", "vtk"])
def test_files_of_others_are_refused_in_the_same_words(kind, tmp_path):
    path = tmp_path / "other.h5"
    path.write_text({"text": "my notes", "empty": "", "vtk": "<VTKFile/>"}.get(kind, ""))
    if kind == "hdf5":
        with h5py.File(path, "w", libver="latest") as file:
            file["x"] = 1.0
    with pytest.raises(FileError, match=rf"^file {path} is damaged: "):
        uf.load(path)


@pytest.mark.parametrize("number", [0, 1, -1, 1.5, "two"])
def test_files_of_another_format_are_refused_with_what_to_do(number, result):
    change(result, "/", format=number)
    with pytest.raises(FileError, match=r"which reads format 8: (load it with that version|update usadelfem)"):
        uf.load(result)


def test_links_and_data_in_other_files_are_not_followed(result, tmp_path):
    whole = result.read_bytes()
    name = next(name for name in arrays(result) if name.endswith("values/0"))
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.zeros(3)
    (tmp_path / "secret.bin").write_bytes(bytes(24))

    def external(file):
        file.create_dataset(name, data=np.zeros(3), external=[(str(tmp_path / "secret.bin"), 0, 24)])

    def virtual(file):
        layout = h5py.VirtualLayout((3,), float)
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "x", (3,))
        file.create_virtual_dataset(name, layout)

    changes = [
        lambda file: file.__setitem__(name, h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")),
        lambda file: file.__setitem__(name, h5py.SoftLink("/content")),
        lambda file: file.__setitem__(name, file["content"]),
        external,
        virtual,
    ]
    for replace in changes:
        result.write_bytes(whole)
        with h5py.File(result, "r+") as file:
            del file[name]
            replace(file)
            if isinstance(file.get(name, getlink=True), h5py.HardLink) and isinstance(file[name], h5py.Dataset):
                seal(file[name], np.zeros(3))
                reseal(file, name)
        with pytest.raises(FileError, match=r"not followed|is the same as another|does not fit its checksum"):
            uf.load(result)


def test_sizes_are_compared_with_the_file_before_they_are_allocated(tmp_path):
    path = uf.save(tmp_path / "sweep.h5", uf.sweep(double, [1.0, 2.0]))
    name = next(name for name in arrays(path) if name.endswith("values/0"))
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, (1 << 50,), float, chunks=(1 << 10,)).attrs["checksum"] = np.uint64(1)
        reseal(file, name)
    with pytest.raises(FileError, match="claims 9007199254740992 bytes, of which the file holds 0"):
        uf.load(path)


@pytest.mark.parametrize(
    ("part", "value", "match"),
    [("p", np.nan, "a point of the mesh is not finite"), ("t", -1, "cells of the mesh has indices outside 0 to"),
     ("subdomains", -1, "region 'N' of the mesh has indices outside"),
     ("boundaries", 10**6, "facet set 'left' of the mesh has indices outside")],
)  # fmt: skip
def test_a_mesh_that_is_none_is_refused_although_its_checksums_fit(
    part, value, match, equilibrium, tmp_path, monkeypatch
):  # fmt: skip
    real = store.without_functions

    def spoiled(device, space):
        device = real(device, space)
        mesh = device.mesh
        own = {"p": mesh.p, "t": mesh.t, "subdomains": dict(mesh.subdomains), "boundaries": dict(mesh.boundaries)}
        if part in ("p", "t"):
            own[part] = own[part].copy()
            own[part][0, 0] = value
        else:
            name = "N" if part == "subdomains" else "left"
            own[part][name] = np.array([value])
        fake = type(type(mesh).__name__, (), own)()
        copy = object.__new__(type(device))
        vars(copy).update(vars(device) | {"mesh": fake})
        return copy

    monkeypatch.setattr(store, "without_functions", spoiled)
    path = uf.save(tmp_path / "result.h5", equilibrium)
    with pytest.raises(FileError, match=match):
        uf.load(path)


def test_coefficients_are_found_by_the_names_of_their_columns(equilibrium, tmp_path, monkeypatch):
    expected = uf.charge_current(equilibrium).quadrature

    def reversed_columns(device, problem):
        content = packed(device, problem)
        return content | {"table": content["table"][..., ::-1], "columns": content["columns"][::-1]}

    packed = store._pack_system
    monkeypatch.setattr(store, "_pack_system", reversed_columns)
    again = uf.load(uf.save(tmp_path / "result.h5", equilibrium))
    assert np.array_equal(uf.charge_current(again).quadrature, expected)


def test_coefficients_that_this_version_does_not_know_are_refused(equilibrium, tmp_path, monkeypatch):
    def other_columns(device, problem):
        content = packed(device, problem)
        return content | {"columns": ("NOVEL", *content["columns"][1:])}

    packed = store._pack_system
    monkeypatch.setattr(store, "_pack_system", other_columns)
    path = uf.save(tmp_path / "result.h5", equilibrium)
    with pytest.raises(FileError, match="its coefficients have the columns NOVEL, D, "):
        uf.load(path)


def test_columns_have_the_names_that_the_kernels_know(equilibrium):
    numbers = {name: getattr(columns, name) for name in ("N0", "D", "GAP_RE", "GAP_IM", "HX", "HY", "HZ")}
    assert numbers.items() <= columns.NUMBER.items()
    assert [getattr(junction, name) for name in COLUMNS] == list(range(junction.JUNCTION_COLUMNS))
    own = equilibrium.problem.coefficients
    assert len(own.columns) == len(set(own.columns)) == own.table.shape[2]
