"""Saved results are restored for post-processing, bit by bit, without the functions that described their device."""

import os

import h5py
import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import CheckpointError, FileError

MESH = uf.rectangle({"A": 1.0, "B": 1.0}, width=0.5, size=0.25)


def turning(x):
    return np.array([np.sin(x[0]), 0 * x[0], np.cos(x[0])])


def inverse_root(tau):
    return 1 / (tau * np.sqrt(1 - tau))


@pytest.fixture(scope="module")
def equilibrium():
    device = uf.Device(
        MESH,
        {"A": uf.ferromagnet(exchange=turning, rashba=0.1), "B": uf.superconductor(gap=lambda x: 1 + x[0])},
        {
            "left": uf.Reservoir(1.0, phase=lambda x: 0.1 * x[1]),
            "right": uf.Reservoir(1.0, 1.3, barrier=uf.Tunnel(conductance=lambda x: 1 + x[1])),
        },
        {("A", "B"): uf.Nazarov(conductance=1.0, transparencies=inverse_root)},
        A=(0.1, 0.0),
    )
    return uf.solve_equilibrium(device, 0.3, frequencies=4)


def restored(result, tmp_path):
    return uf.load(uf.save(tmp_path / "result.h5", result))


def same(one, two):
    return np.array_equal(one.quadrature, two.quadrature) and np.array_equal(one.at_corners, two.at_corners)


def test_observables_of_a_restored_equilibrium_are_the_same(equilibrium, tmp_path):
    again = restored(equilibrium, tmp_path)
    for observable in (uf.charge_current, uf.spin_current, uf.spin_density, uf.pair_amplitude, uf.gap):
        assert same(observable(again), observable(equilibrium)), observable.__name__
    assert uf.charge_current(again).through("right") == uf.charge_current(equilibrium).through("right")
    assert uf.free_energy(again) == uf.free_energy(equilibrium)
    assert again.report == equilibrium.report


def test_a_restored_device_can_be_solved_again(equilibrium, tmp_path):
    again = uf.solve_equilibrium(restored(equilibrium, tmp_path).device, 0.3, frequencies=4)
    # coefficients of materials are linear between the vertices now
    assert abs(again.riccati - equilibrium.riccati).max() < 2e-3


def test_a_spectrum_is_restored_and_goes_on_from_an_equilibrium(equilibrium, tmp_path):
    spec = uf.solve_spectrum(equilibrium, [-0.5, 0.5], broadening=0.1)
    again = restored(spec, tmp_path)
    assert same(uf.density_of_states(again), uf.density_of_states(spec))
    assert same(uf.charge_current(again), uf.charge_current(spec))
    other = uf.solve_spectrum(restored(equilibrium, tmp_path), [0.5], broadening=0.1)
    assert other.states[0] == pytest.approx(spec.states[1], abs=1e-9)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_a_self_consistent_gap_with_screening_is_restored(tmp_path):
    disc = uf.Device(uf.rectangle({"S": 3.0}, width=3.0, size=0.75), {"S": uf.superconductor(Tc=1.0)}, {}, B=0.3)
    eq = uf.solve_equilibrium(disc, 0.5, order=1, screening=True, penetration_depth=2.0, tolerance=1e-4)
    again = restored(eq, tmp_path)
    assert same(uf.magnetic_field(again), uf.magnetic_field(eq))
    assert same(uf.gap(again), uf.gap(eq))
    assert uf.free_energy(again) == uf.free_energy(eq)
    assert again.sweeps == eq.sweeps


def test_a_normal_state_is_restored(tmp_path):
    contacts = {"left": uf.CurrentContact(current=1.0), "right": uf.NormalContact()}
    device = uf.Device(MESH, {"A": uf.normal_metal(theta=0.1), "B": uf.normal_metal(tau_so=3.0)}, contacts)
    state = uf.solve_normal_state(device)
    assert same(uf.spin_accumulation(restored(state, tmp_path)), uf.spin_accumulation(state))


@pytest.mark.parametrize("parameters", [{"b": [1.0, 2.0], "a": [3.0, 4.0, 5.0]}, [1.0, 2.0]], ids=["grid", "sequence"])
def test_a_sweep_is_restored_from_a_file_and_from_its_checkpoint(parameters, tmp_path):
    result = uf.sweep(
        lambda *values, **named: sum(values) + sum(named.values()), parameters, checkpoint=tmp_path / "c.h5"
    )
    for again in (restored(result, tmp_path), uf.load(tmp_path / "c.h5")):
        assert np.array_equal(again.values, result.values)
        if isinstance(parameters, dict):
            assert list(again.parameters) == list(parameters)
        else:
            assert np.array_equal(again.parameters, parameters)


def test_a_file_of_a_newer_version_is_refused(equilibrium, tmp_path):
    path = uf.save(tmp_path / "new.h5", equilibrium)
    with h5py.File(path, "a") as file:
        file.attrs["format"], file.attrs["version"] = 99, "7.1"
    with pytest.raises(ValueError, match=r"usadelfem 7\.1 in format 99.*update usadelfem"):
        uf.load(path)


def test_an_unknown_record_is_refused(equilibrium, tmp_path):
    path = uf.save(tmp_path / "odd.h5", equilibrium)
    with h5py.File(path, "a") as file:
        file["content/values/0/values/0"].attrs["class"] = "Gadget"
    with pytest.raises(ValueError, match="'Gadget', which this version does not know"):
        uf.load(path)


def test_files_of_others_are_refused(tmp_path):
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(ValueError, match="no HDF5 file"):
        uf.load(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1.0
    with pytest.raises(ValueError, match=r"not written by usadelfem\.save"):
        uf.load(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        uf.load(tmp_path / "none.h5")


def test_a_folder_and_a_pipe_are_no_results(tmp_path):
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(FileError, match="it is a folder"):
        uf.load(tmp_path / "folder.h5")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.h5")
        with pytest.raises(FileError, match="no regular file but a pipe"):
            uf.load(tmp_path / "pipe.h5")


def test_a_file_is_no_folder_and_a_folder_no_file(equilibrium, tmp_path):
    (tmp_path / "file.h5").touch()
    for inner in ("x.h5", "y/x.h5"):
        with pytest.raises(NotADirectoryError, match=r"file\.h5' is a file, not a folder"):
            uf.save(tmp_path / "file.h5" / inner, equilibrium)
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        uf.save(tmp_path / "folder.h5", equilibrium)


def test_a_link_that_leads_back_to_itself_is_refused(equilibrium, tmp_path):
    (tmp_path / "loop.h5").symlink_to("loop.h5")
    for write in (lambda path: uf.save(path, equilibrium), lambda path: uf.sweep(abs, [1.0], checkpoint=path)):
        with pytest.raises(ValueError, match=r"loop\.h5' is a link that leads back to itself"):
            write(tmp_path / "loop.h5")


def test_a_saved_result_is_no_checkpoint(equilibrium, tmp_path):
    path = uf.save(tmp_path / "result.h5", equilibrium)
    with pytest.raises(CheckpointError, match="is a result that `save` has written, not a checkpoint of a sweep"):
        uf.sweep(abs, [1.0], checkpoint=path)


def test_bad_targets_are_refused(equilibrium, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.h5"):
        uf.save(tmp_path / "result.txt", equilibrium)
    with pytest.raises(FileNotFoundError, match="create it"):
        uf.save(tmp_path / "none" / "result.h5", equilibrium)
    with pytest.raises(TypeError, match="save the result that it was made of"):
        uf.save(tmp_path / "field.h5", uf.charge_current(equilibrium))


def test_a_failed_save_leaves_the_old_file(equilibrium, tmp_path, monkeypatch):
    path = uf.save(tmp_path / "result.h5", equilibrium)
    before = path.read_bytes()
    monkeypatch.setattr("usadelfem.export.store.write", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        uf.save(path, equilibrium)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
