"""The house rules, held by reading the sources: who may import whom, how long a function or a file may be."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import usadelfem

PACKAGE = Path(__file__).resolve().parent.parent / "usadelfem"
CHAIN = (
    "compilation", "physics", "mesh", "pictures", "device", "geometry", "metals", "textures", "parallel", "numerics",
    "space", "fields", "magnetics", "fem", "diagnostics", "points", "solve", "nonequilibrium", "derivatives", "observe",
    "adjoints", "branches", "export", "study", "commands",
)  # fmt: skip
# Modules at the root that every module may import.
FREE = ("errors", "checks", "defaults", "frozen", "rules", "version")
DESCRIPTION = ("mesh", "device", "metals", "textures")  # folders without formulas: the table of coefficients only
LONGEST_FUNCTION = 50
MOST_PARAMETERS = 10
LONGEST_FILE = 300
MOST_FILES = 20  # in a folder
MOST_NAMES = 90  # at the root
# File, relative to the package -> why it may be longer than LONGEST_FILE.
LONG_FILES: dict[str, str] = {}
# Functions with more parameters than MOST_PARAMETERS: compiled code takes its arrays and scratch space one by one.
MANY_PARAMETERS = {
    "solve_equilibrium",  # every choice of a solve is a keyword of its own
    "element_terms", "retarded_terms", "junction_elements", "retarded_junctions", "examine_cells", "evaluate",
    "spin_charge", "add_derivative", "add_changes", "conjugate_changes", "kinetic_changes",
    "kinetic_cells", "solve_nonequilibrium",
}  # fmt: skip
HEAVY = ("pyvista", "matplotlib", "gmsh", "pint", "xarray")

Module = tuple[str, ...]  # ("fem", "space") is usadelfem.fem.space, () the package root, ("fem",) its folder


def modules(package: Path) -> dict[Module, ast.Module]:
    """Syntax trees of all modules of a package by dotted name without the package's own."""
    trees = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = parts[:-1] if parts[-1] == "__init__" else parts
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


def _base(node: ast.ImportFrom, name: Module, is_package: bool, root: str) -> Module | None:
    """What stands between `from` and `import`, as a module of the package; None if it is of another package."""
    written = tuple(node.module.split(".")) if node.module else ()
    if not node.level:
        return written[1:] if written[:1] == (root,) else None
    folder = name if is_package else name[:-1]
    return (*folder[: len(folder) - node.level + 1], *written)


def own_imports(trees: dict[Module, ast.Module], name: Module, root: str) -> Iterator[tuple[ast.stmt, Module]]:
    """The modules of the package that a module imports, anywhere in its file, with the statements."""
    is_package = any(other[:-1] == name for other in trees if other)
    for node in ast.walk(trees[name]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = tuple(alias.name.split("."))
                if parts[0] == root:
                    yield node, parts[1:]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, name, is_package, root)
            if base is None:
                continue
            for alias in node.names:
                inner = (*base, alias.name)
                yield node, inner if (base or not name) and inner in trees else base


def complaint(name: Module, target: Module) -> str | None:
    """Why a module may not import another one; None if it may."""
    if not target:
        return "imports the package root"
    if not name or (len(target) == 1 and target[0] in FREE):
        return None
    if len(name) == 1 and name[0] in FREE:
        return "must not import from the package"
    if target[0] not in CHAIN:
        return f"imports {target[0]}, which stands to the right of all folders"
    if name[0] not in CHAIN:
        return None
    if name[0] in DESCRIPTION and target[0] == "physics" and target != ("physics", "columns"):
        return "imports physics: a device is a description without formulas"
    if CHAIN.index(target[0]) > CHAIN.index(name[0]):
        return f"imports {target[0]}, which stands to the right of {name[0]}"
    return None


def import_violations(package: Path) -> list[str]:
    """Imports against the direction of the chain, and imports of the package root."""
    trees = modules(package)
    return [
        f"{'/'.join(name) or '__init__'}:{node.lineno} {reason}"
        for name in trees
        for node, target in own_imports(trees, name, package.name)
        if (reason := complaint(name, target))
    ]


def deferred_imports(package: Path) -> list[str]:
    """Imports of own modules that are not at the top level of a file."""
    trees = modules(package)
    return [
        f"{'/'.join(name) or '__init__'}:{node.lineno}"
        for name, tree in trees.items()
        for node, _ in own_imports(trees, name, package.name)
        if node not in tree.body
    ]


def cycles(package: Path) -> list[str]:
    """Modules that import themselves through others."""
    trees = modules(package)
    graph = {name: {target for _, target in own_imports(trees, name, package.name)} for name in trees}
    found = []
    for name in graph:
        seen: set[Module] = set()
        todo = list(graph[name])
        while todo:
            target = todo.pop()
            if target not in seen:
                seen.add(target)
                todo.extend(graph.get(target, ()))
        if name in seen:
            found.append(".".join(name) or "__init__")
    return found


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its decorators and docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def long_functions(package: Path) -> list[str]:
    """Functions above LONGEST_FUNCTION lines."""
    return [
        f"{'/'.join(name)}: {node.name} has {body_lines(node)} lines"
        for name, tree in modules(package).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > LONGEST_FUNCTION
    ]


def long_signatures(package: Path) -> set[str]:
    """Functions with more than MOST_PARAMETERS parameters; self and cls are none."""
    found = set()
    for tree in modules(package).values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                if len([name for name in own if name not in ("self", "cls")]) > MOST_PARAMETERS:
                    found.add(node.name)
    return found


def solving_observers(package: Path) -> list[str]:
    """Observers that import a function of `solve`: they look at results only."""
    trees = modules(package)
    return [
        f"{'/'.join(name)}: {alias.name}"
        for name, tree in trees.items()
        if name[:1] == ("observe",)
        for node, target in own_imports(trees, name, package.name)
        if target[:1] == ("solve",) and isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("solve")
    ]


def unknown_raises(package: Path) -> set[str]:
    """Errors that docstrings name under "Raises" and that are neither Python's, numpy's nor in `errors`."""
    known = {name for name in dir(builtins) if name.endswith(("Error", "Exception"))} | set(dir(usadelfem.errors))
    known.add("LinAlgError")
    found = set()
    for tree in modules(package).values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node) or ""
                section = re.search(r"Raises\n-+\n(.*?)(\n\n|\Z)", text, flags=re.DOTALL)
                lines = section[1].splitlines() if section else []
                named = (name for line in lines if line[:1].strip() for name in line.split(", "))
                found |= {name for name in named if name.rsplit(".", 1)[-1] not in known}
    return found


def long_files(package: Path) -> dict[str, int]:
    """Files above LONGEST_FILE lines, relative to the package."""
    counts = {
        path.relative_to(package).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(package.rglob("*.py"))
    }
    return {name: count for name, count in counts.items() if count > LONGEST_FILE}


def full_folders(package: Path) -> list[str]:
    """Folders with more than MOST_FILES files."""
    counts = {folder.name: len(list(folder.glob("*.py"))) for folder in sorted(package.iterdir()) if folder.is_dir()}
    return [name for name, count in counts.items() if count > MOST_FILES]


def public(package: Path) -> dict[str, set[Module]]:
    """Names that the root and its namespaces import -> the modules that define them."""
    trees = modules(package)
    faces = {(), *(target for _, target in own_imports(trees, (), package.name) if len(target) == 1)}
    found: dict[str, set[Module]] = {}
    for face in faces - {("errors",)}:
        for node in trees[face].body:
            if isinstance(node, ast.ImportFrom):
                base = _base(node, face, not face or (package / face[0]).is_dir(), package.name)
                for alias in node.names if base else ():
                    found.setdefault(alias.name, set()).add(base)
    return found


def undocumented(package: Path) -> list[str]:
    """Public names without a docstring where they are defined."""
    trees = modules(package)
    return [
        name
        for name, homes in public(package).items()
        for home in homes
        if not any(
            _documents(item, after, name)
            for item, after in zip(trees[home].body, [*trees[home].body[1:], None], strict=True)
        )
    ]


def _documents(item: ast.stmt, after: ast.stmt | None, name: str) -> bool:
    """Whether a statement defines a name with a docstring; that of a constant is the text after it."""
    if isinstance(item, ast.Assign):
        names = [target.id for target in item.targets if isinstance(target, ast.Name)]
        return name in names and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    return isinstance(item, ast.FunctionDef | ast.ClassDef) and item.name == name and bool(ast.get_docstring(item))


def test_imports_run_from_right_to_left() -> None:
    assert import_violations(PACKAGE) == []


def test_own_modules_are_imported_at_the_top_of_a_file() -> None:
    assert deferred_imports(PACKAGE) == []


def test_there_are_no_import_cycles() -> None:
    assert cycles(PACKAGE) == []


def test_functions_are_short() -> None:
    assert long_functions(PACKAGE) == []


def test_functions_have_few_parameters() -> None:
    assert long_signatures(PACKAGE) == MANY_PARAMETERS


def test_observers_never_solve() -> None:
    assert solving_observers(PACKAGE) == []


def test_errors_in_docstrings_can_be_imported() -> None:
    assert unknown_raises(PACKAGE) == set()


def test_files_are_short_or_say_why() -> None:
    found = long_files(PACKAGE)
    assert {name: count for name, count in found.items() if name not in LONG_FILES} == {}
    assert set(LONG_FILES) <= set(found), "a file in LONG_FILES is short by now: remove it there"


def test_folders_are_small() -> None:
    assert full_folders(PACKAGE) == []


def test_a_public_name_means_one_thing() -> None:
    assert {name: homes for name, homes in public(PACKAGE).items() if len(homes) > 1} == {}


def test_the_root_has_what_scripts_need_every_day() -> None:
    assert len(dir(usadelfem)) <= MOST_NAMES
    assert {"Device", "solve_equilibrium", "textures"} <= set(dir(usadelfem)) < set(vars(usadelfem))


@pytest.mark.parametrize("name", ["skyrmion", "SolveError", "phase_diagram", "Field", "bcs_gap", "hole_fluxes"])
def test_a_name_that_is_not_at_the_root_says_where_it_is(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"it is usadelfem\.\w+\.{name}$"):
        getattr(usadelfem, name)


def test_all_exceptions_can_be_imported_from_errors() -> None:
    raised = set()
    for tree in modules(PACKAGE).values():
        names = (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases)
        raised |= {name for name in names if name.endswith(("Error", "Warning"))}
    assert {name for name in raised if not hasattr(usadelfem.errors, name)} == set()


def test_public_names_are_documented() -> None:
    assert undocumented(PACKAGE) == []


def test_import_loads_no_heavy_package() -> None:
    code = f"import sys, usadelfem; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PACKAGE.parent)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small package that breaks no rule, called `house`."""
    files = {
        "__init__.py": "from .solve.newton import solve as solve\n",
        "errors.py": "class Oops(ValueError):\n    'An error.'\n",
        "physics/__init__.py": "",
        "physics/algebra.py": "from ..errors import Oops\n",
        "device/__init__.py": "",
        "device/mesh.py": "from house.errors import Oops\n",
        "fem/__init__.py": "",
        "fem/space.py": "from ..device.mesh import Oops\nfrom ..physics import algebra\n",
        "solve/__init__.py": "",
        "solve/newton.py": "from ..fem import space\n\ndef solve():\n    'Solve.'\n",
    }
    for name, text in files.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "house"


def test_the_small_house_is_in_order(house: Path) -> None:
    checks = (import_violations, deferred_imports, cycles, long_functions, undocumented)
    assert [check(house) for check in checks] == [[]] * len(checks)


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("physics/algebra.py", "from ..device.mesh import Oops", "right of physics"),
        ("fem/space.py", "import house.solve.newton", "right of fem"),
        ("fem/space.py", "from ..solve import newton", "right of fem"),
        ("device/mesh.py", "from ..physics.algebra import Oops", "without formulas"),
        ("errors.py", "from .physics import algebra", "must not import"),
        ("solve/newton.py", "from house import solve", "package root"),
        ("solve/newton.py", "from .. import __version__", "package root"),
        ("solve/newton.py", "import house", "package root"),
    ],
)
def test_a_wrong_import_is_found(house: Path, file: str, line: str, words: str) -> None:
    path = house / file
    path.write_text(f"{path.read_text()}\ndef late():\n    {line}\n")
    assert [words in text for text in import_violations(house)] == [True]
    assert len(deferred_imports(house)) == 1


def test_a_cycle_a_long_function_a_long_file_and_a_missing_docstring_are_found(house: Path) -> None:
    (house / "fem" / "basis.py").write_text("from .space import Oops\n")
    with (house / "fem" / "space.py").open("a") as file:
        file.write("from . import basis\n")
    assert cycles(house) == ["fem.basis", "fem.space"]
    (house / "solve" / "newton.py").write_text("def solve():\n" + "    x = 1\n" * LONGEST_FUNCTION)
    assert len(long_functions(house)) == 1
    assert undocumented(house) == ["solve"]
    (house / "solve" / "long.py").write_text("x = 1\n" * (LONGEST_FILE + 1))
    assert long_files(house) == {"solve/long.py": LONGEST_FILE + 1}
