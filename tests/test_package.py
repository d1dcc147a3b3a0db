"""Wheel and source distribution: what is in them, and that they work where there is no checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import usadelfem as uf
from usadelfem.compilation.jit import _CACHE

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Names of packages that conda-forge has under another one.
CONDA = {"gmsh": "python-gmsh", "matplotlib": "matplotlib-base"}
# What `import usadelfem` must not load, because it takes long or may not be there.
LAZY = (
    "pyvista", "vtk", "matplotlib", "gmsh", "xarray", "pandas", "pint", "meshio", "rich", "IPython", "distributed",
    "mpi4py", "adaptive", "scipy.interpolate", "h5py",
)  # fmt: skip

FENCE = re.compile(r"^ *```(\S*)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# What neither the demonstration nor the other commands need.
HIDDEN = ("matplotlib", "gmsh", "xarray", "pyvista", "pint", "pandas")


def run(*command, folder, **environment):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=clean_environment() | environment, capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def clean_environment():
    """The environment without what would lead to the checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")}


def names(requirements):
    """Name -> lowest version of requirements, without extras of this package."""
    found = (re.match(r"([\w.-]+)\s*>=\s*([\d.]+)", one) for one in requirements)
    return {one[1].lower(): one[2] for one in found if one}


def recipe():
    """The recipe without its templates and selectors."""
    text = (ROOT / "recipe" / "meta.yaml").read_text()
    version = re.search(r'set version = "([^"]+)"', text)[1]
    text = re.sub(r"\{%.*?%\}", "", text).replace("{{ version }}", version).replace("{{ PYTHON }}", "python")
    return yaml.safe_load(text)


def conda(extras):
    """Requirements of some extras in the names of conda-forge."""
    own = names(one for extra in extras for one in PROJECT["optional-dependencies"][extra])
    return {CONDA.get(name, name): version for name, version in own.items()}


def test_all_files_have_the_same_version():
    assert PROJECT["dynamic"] == ["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == recipe()["package"]["version"] == uf.__version__
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == uf.__version__


def test_the_recipe_has_the_dependencies_of_the_project():
    requirements = recipe()["requirements"]
    assert names(one.replace(" ", "") for one in requirements["run"]) == names(PROJECT["dependencies"])
    assert [one for one in requirements["run"] if one.split()[0] == "python"] == ["python"]
    lists = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert names(one.replace(" ", "") for one in requirements["host"]) == names(lists)


def test_the_recipe_knows_the_optional_packages():
    optional = recipe()["requirements"]["run_constrained"]
    assert names(one.replace(" ", "") for one in optional) == conda(
        ("gmsh", "plot", "xarray", "adaptive", "dask", "mpi")
    )


def test_mkl_is_asked_for_on_the_same_platforms():
    marker = next(one for one in PROJECT["dependencies"] if one.startswith("mkl"))
    selector = next(line for line in (ROOT / "recipe" / "meta.yaml").read_text().splitlines() if "- mkl" in line)
    assert all(word in marker for word in ("linux", "win32", "x86_64", "AMD64"))
    assert selector.endswith("# [x86_64 and (linux or win)]")


def test_everything_that_is_optional_is_in_all():
    extras = PROJECT["optional-dependencies"]
    inside = re.fullmatch(r"usadelfem\[(.*)\]", extras["all"][0])[1].split(",")
    assert set(inside) == set(extras) - {"all", "test", "docs"}


def test_the_classifiers_are_those_that_are_tested():
    tested = set(
        re.search(r"python: \[(.*)\]", (ROOT / ".github/workflows/ci.yml").read_text())[1].replace('"', "").split(", ")
    )
    named = {one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", one)}
    assert named == tested
    assert min(named, key=lambda version: int(version[2:])) == PROJECT["requires-python"].removeprefix(">=")


def test_the_citation_is_complete():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "abstract", "type", "authors", "version", "license", "keywords"} <= set(
        citation
    )
    assert citation["license"] == PROJECT["license"]


def test_import_loads_nothing_that_is_needed_later():
    code = f"import sys, usadelfem; print(*(name for name in {LAZY!r} if name in sys.modules), sep='\\n')"
    assert run(sys.executable, "-c", code, folder=ROOT).split() == []


def test_import_computes_nothing():
    code = (
        "import sys; calls = []\n"
        "def seen(frame, event, argument):\n"
        "    if event == 'call' and frame.f_code.co_name in ('_lanczos', 'gauss_sum', 'bcs_gap'):\n"
        "        calls.append(frame.f_code.co_name)\n"
        "sys.setprofile(seen); import usadelfem; sys.setprofile(None); print(*calls)"
    )
    assert run(sys.executable, "-c", code, folder=ROOT).split() == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheel and source distribution, made of a copy of what git would hand out."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    source.mkdir()
    for path in files_of_the_project():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes((ROOT / path).read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, folder=folder)
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, archive


def files_of_the_project():
    """Paths of all files that belong to the project, relative to its root; of git where there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]
    skipped = {".venv", "output", "build", "dist", "_build", "gallery", "__pycache__", ".git"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not skipped & set(path.parts) and not path.parts[0].startswith(".pytest")]


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Python of an empty environment with the wheel, and with those dependencies of this one that are always needed."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    target = ("--python", python, "install", "--no-deps", "--no-index", "--disable-pip-version-check", built[0])
    run(sys.executable, "-m", "pip", *target, folder=folder)
    # Plain folders only: no .pth file of this environment is read there, so that none leads to the checkout.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        inside = {Path(name) for name in wheel.namelist()}
    sources = {path for path in files_of_the_project() if path.parts[0] == "usadelfem"}
    assert {path for path in inside if path.parts[0] == "usadelfem"} == sources
    assert {path.parts[0] for path in inside} == {"usadelfem", f"usadelfem-{uf.__version__}.dist-info"}
    assert Path("usadelfem/commands/sfs.msh") in sources


@pytest.mark.slow
def test_the_source_distribution_is_the_repository(built):
    with tarfile.open(built[1]) as archive:
        inside = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert set(files_of_the_project()) - inside == set()


@pytest.mark.slow
def test_what_is_installed_is_the_wheel(installed, tmp_path):
    place, version = run(
        installed, "-c", "import usadelfem; print(usadelfem.__file__, usadelfem.__version__)", folder=tmp_path
    ).split()
    assert Path(place).is_relative_to(installed.parent.parent)
    assert version == uf.__version__
    assert run(installed.parent / "usadelfem", "--version", folder=tmp_path) == f"usadelfem {version}\n"


@pytest.mark.slow
def test_the_demo_and_info_run_from_the_wheel_without_optional_packages(installed, tmp_path):
    hidden, folder = tmp_path / "hidden", tmp_path / "empty"
    hidden.mkdir()
    folder.mkdir()
    for name in HIDDEN:
        (hidden / f"{name}.py").write_text(f"raise ImportError('{name} is not here')\n")
    # What the checkout has compiled holds for the wheel, wherever it lies.
    kernels = {"NUMBA_CACHE_DIR": str(_CACHE.parent)} if _CACHE else {}
    out = run(installed, "-W", "error", "-m", "usadelfem", "demo", folder=folder, PYTHONPATH=str(hidden), **kernels)
    rows = [line.split() for line in out.splitlines()]
    currents = [float(row[1]) for row in rows if len(row) == 3 and row[0][0].isdigit()]
    assert len(currents) == 9
    assert max(currents[1:-1]) < 0  # a pi junction
    info = run(installed, "-m", "usadelfem", "info", "output/sfs.msh", folder=folder, PYTHONPATH=str(hidden))
    assert "weak_link" in info
    assert sorted(path.name for path in folder.iterdir()) == ["output"]


@pytest.mark.slow
def test_the_first_hour_goes_through_in_order_from_the_wheel(installed, tmp_path):
    page = (ROOT / "docs" / "first_hour.md").read_text(encoding="utf-8")
    ran = []
    for kind, code in FENCE.findall(page):
        if kind == "python":
            with (tmp_path / re.match(r"# (\w+\.py)\n", code).group(1)).open("a", encoding="utf-8") as script:
                script.write(code)
        for command in re.findall(r"^\$ python (-m usadelfem .*|\w+\.py.*)$", code, re.MULTILINE):
            run(installed, *command.split(), folder=tmp_path, MPLBACKEND="Agg")
            ran.append(command)
    assert len(ran) == len(re.findall(r"^\$ python ", page, re.MULTILINE))
    for name in ("pairs.png", "strip.vtu", "strip.h5", "output/sfs.vtu"):
        assert (tmp_path / name).exists()


@pytest.mark.slow
def test_tests_of_the_source_distribution_pass(built, tmp_path):
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert (source / "meshes" / "sfs.msh").is_file()
    # None that solves: in a new place all kernels would be compiled.
    files = ("tests/test_metals.py", "tests/test_layers.py")
    out = run(
        sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "not slow", "-p", "no:cacheprovider", *files,
        folder=source, PYTHONPATH=str(source),
    )  # fmt: skip
    assert "passed" in out
