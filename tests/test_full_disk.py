"""Disks that are full, read-only or pulled away: the old file stays, the error names file and folder, no rubbish."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import meshio
import numpy as np
import pytest
from devices import junction

import usadelfem as uf
from usadelfem.errors import CheckpointError, FileError
from usadelfem.export.checkpoint import Checkpoint
from usadelfem.export.fingerprint import fingerprint
from usadelfem.export.grid import make_grid

resource = pytest.importorskip("resource", reason="limits of POSIX systems")


def rows(x):
    return np.random.default_rng(int(x)).random(4000)  # which no compression makes smaller


@pytest.fixture(scope="module")
def field():
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.1)
    eq = uf.solve_equilibrium(junction(mesh, {"N": uf.normal_metal()}, 1.0), 0.4, order=1, frequencies=1)
    return uf.charge_current(eq)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 300 kB, of which 8 kB are free once `fill` is called."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", place], capture_output=True)
    if done.returncode:
        pytest.skip("file systems may not be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(disk):
    found = os.statvfs(disk)
    (disk / "fill").write_bytes(bytes(found.f_bavail * found.f_frsize - 8192))


@contextmanager
def no_file_larger_than(size):
    """What a quota does; files that are larger end in OSError, since Python ignores the signal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def writers(field, folder):
    result = uf.sweep(rows, [1.0, 2.0, 3.0])
    series = uf.observe.series([field, field, field], [0.0, 1.0, 2.0], name="t")
    return {
        "save": lambda: uf.save(folder / "a.h5", result),
        "vtu": lambda: uf.write_vtk(folder / "a.vtu", field, replace(field, name="again")),
        "pvd": lambda: uf.write_vtk(folder / "a.pvd", series),
        "xdmf": lambda: uf.write_vtk(folder / "b.xdmf", series),
        "vtkhdf": lambda: uf.write_vtk(folder / "d.vtkhdf", series),
        "checkpoint": lambda: uf.sweep(rows, [1.0, 2.0, 3.0], checkpoint=folder / "c.h5"),
    }


@pytest.mark.parametrize("kind", ["save", "vtu", "pvd", "xdmf", "vtkhdf", "checkpoint"])
@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_a_quota_leaves_the_old_files_and_nothing_else(kind, old, field, tmp_path):
    write = writers(field, tmp_path)[kind]
    if old:
        write()
        if kind == "checkpoint":
            (tmp_path / "c.h5").unlink()
    before = contents(tmp_path)
    with no_file_larger_than(3000):
        for _ in range(3):
            with pytest.raises(OSError, match=r"cannot write '.*' in the folder '.*: what was there is kept") as caught:
                write()
    assert caught.value.errno == errno.EFBIG
    assert str(tmp_path) in str(caught.value)
    assert contents(tmp_path) == before
    write()  # the process goes on


def test_a_full_disk_leaves_the_old_files_and_a_process_that_goes_on(field, small_disk):
    result = uf.save(small_disk / "old.h5", uf.sweep(rows, [1.0]))
    uf.write_vtk(small_disk / "a.pvd", uf.observe.series([field, field], [0.0, 1.0], name="t"))
    fill(small_disk)
    before = contents(small_disk)
    for _ in range(3):
        for write in writers(field, small_disk).values():
            with pytest.raises(OSError, match="No space left on device") as caught:
                write()
            assert caught.value.errno == errno.ENOSPC
    assert contents(small_disk) == before
    assert uf.load(result).values.shape == (1, 4000)
    (small_disk / "fill").unlink()
    writers(field, small_disk)["save"]()
    assert len(uf.load(small_disk / "a.h5").values) == 3


def test_results_stored_before_the_disk_was_full_are_kept(small_disk):
    path = small_disk / "c.h5"
    uf.sweep(float, [1.0, 2.0], checkpoint=path)
    before = path.read_bytes()
    fill(small_disk)
    (small_disk / "rest").write_bytes(bytes(4096))
    assert uf.sweep(float, [1.0, 2.0], checkpoint=path).values.tolist() == [1.0, 2.0]
    assert path.read_bytes() == before


def test_a_read_only_disk_is_named(field, small_disk):
    writers(field, small_disk)["vtu"]()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    before = contents(small_disk)
    for write in writers(field, small_disk).values():
        with pytest.raises(OSError, match=rf"cannot write '.*' in the folder '{small_disk}.*[Rr]ead-only"):
            write()
    assert contents(small_disk) == before


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(field, tmp_path):
    tmp_path.chmod(0o555)
    for write in writers(field, tmp_path).values():
        with pytest.raises(PermissionError, match=f"in the folder '{tmp_path}'"):
            write()
    tmp_path.chmod(0o755)


SAVE = """
import sys
import numpy as np
import usadelfem as uf
result = uf.sweep(lambda x: np.full(300_000, x), [1.0, 2.0])
uf.save(sys.argv[1], result)
print("ready", flush=True)
while True:
    uf.save(sys.argv[1], result)
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_file_and_the_next_one_cleans_up(tmp_path):
    path, random_ = tmp_path / "result.h5", random.Random(3)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", SAVE, path], stdout=subprocess.PIPE, text=True)
        with process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(random_.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
        assert uf.load(path).values[:, -1].tolist() == [1.0, 2.0]
    uf.save(path, uf.load(path))
    assert [file.name for file in tmp_path.iterdir()] == ["result.h5"]


def test_a_series_is_replaced_as_a_whole_by_a_shorter_one(field, tmp_path):
    long, short = (uf.observe.series([field] * n, np.arange(n), name="t") for n in (4, 2))
    for suffix, members in ((".pvd", ["0000.vtu", "0001.vtu"]), (".xdmf", ["s.h5", "s.xdmf"])):
        uf.write_vtk(tmp_path / f"s{suffix}", long)
        path = uf.write_vtk(tmp_path / f"s{suffix}", short)
        folder = tmp_path / "s" if suffix == ".pvd" else tmp_path
        found = sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix != ".pvd")
        assert found == members
    with meshio.xdmf.TimeSeriesReader(path) as reader:
        reader.read_points_cells()
        assert reader.num_steps == 2


def test_an_old_series_is_whole_until_the_new_one_is(field, tmp_path, monkeypatch):
    path = uf.write_vtk(tmp_path / "s.pvd", uf.observe.series([field, field], [0.0, 1.0], name="t"))
    before = contents(tmp_path)
    real, count = meshio.Mesh.write, iter(range(100))

    def fails_at_the_third(self, name, **options):
        if next(count) == 2:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        real(self, name, **options)

    monkeypatch.setattr(meshio.Mesh, "write", fails_at_the_third)
    twice = replace(field, quadrature=2 * field.quadrature)
    with pytest.raises(OSError, match=r"cannot write 's.pvd' in the folder .* \(Disk quota exceeded\)"):
        uf.write_vtk(path, uf.observe.series([twice] * 4, np.arange(4.0), name="t"))
    assert contents(tmp_path) == before


def test_an_xdmf_file_does_not_replace_a_result_of_the_same_name(field, tmp_path):
    result = uf.save(tmp_path / "s.h5", uf.sweep(float, [1.0]))
    with pytest.raises(FileError, match=r"'s\.h5', which exists and is no file of a series; give another name"):
        uf.write_vtk(tmp_path / "s.xdmf", uf.observe.series([field, field], [0.0, 1.0], name="t"))
    assert uf.load(result).values.tolist() == [1.0]


@pytest.mark.parametrize("kind", ["symbolic", "hard", "detour"])
def test_a_checkpoint_is_locked_under_all_of_its_names(kind, tmp_path):
    path, other = tmp_path / "run.h5", tmp_path / "other.h5"
    uf.sweep(float, [1.0, 2.0], checkpoint=path)
    (tmp_path / "folder").mkdir()
    if kind == "symbolic":
        other.symlink_to(path)
    elif kind == "hard":
        other.hardlink_to(path)
    else:
        other = tmp_path / "folder" / ".." / "run.h5"

    with (
        Checkpoint(path, make_grid([1.0, 2.0]), fingerprint(float)),
        pytest.raises(CheckpointError, match="is in use by another thread of this process"),
    ):
        uf.sweep(float, [1.0, 2.0], checkpoint=other)
    assert uf.sweep(float, [1.0, 2.0], checkpoint=other).values.tolist() == [1.0, 2.0]


def test_a_linked_file_stays_a_link_and_its_target_gets_the_result(tmp_path):
    (tmp_path / "scratch").mkdir()
    link, real = tmp_path / "result.h5", tmp_path / "scratch" / "real.h5"
    link.symlink_to(real)
    uf.save(link, uf.sweep(float, [1.0]))
    assert link.is_symlink()
    assert uf.load(real).values.tolist() == [1.0]
