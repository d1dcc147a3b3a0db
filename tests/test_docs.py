"""Every block of Python in the documentation runs as it stands, from the top of its page to the bottom."""

import multiprocessing
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import pyvista
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import usadelfem as uf

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not {"_build", "gallery"} & set(page.parts)]
FENCE = re.compile(r"^ *```(\S*)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# What cannot run here is of another language: a shell, a cluster, the source of Gmsh, what a program prints.
LANGUAGES = {"python", "console", "text"}


def name(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page, language):
    return [code for kind, code in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder as a reader has it, with the meshes of the project, and no screen; natural units afterwards."""
    (tmp_path / "meshes").symlink_to(ROOT / "meshes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyvista, "OFF_SCREEN", True)
    # A copy of this process, which has threads, may wait for one of them for ever.
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    yield tmp_path
    multiprocessing.set_start_method(before, force=True)
    plt.close("all")
    pyvista.close_all()
    uf.natural()


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_all_code_of_a_page_runs(page, folder):
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(page)
    document.namespace["__name__"] = "__main__"
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_no_python_of_a_page_is_left_out(page):
    text = page.read_text(encoding="utf-8")
    shown = [example.parsed for example in Sybil(parsers=[PythonCodeBlockParser()]).parse(page).examples()]
    assert len(shown) == len(re.findall(r"```python|invisible-code-block: python", text))
    assert "skip: " not in text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_is_not_python_says_what_it_is(page):
    kinds = {kind for kind, _ in FENCE.findall(page.read_text(encoding="utf-8")) if not kind.startswith("{")}
    assert kinds <= LANGUAGES
    for code in blocks(page, "text"):
        assert not re.search(r"^(import|from \w+ import|\w+ = uf\.)", code, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_readers_see_short_lines_and_no_tricks(page):
    for code in blocks(page, "python"):
        assert max(map(len, code.splitlines())) <= 88
        assert not re.search(r"\bassert\b|noqa", code)
    prose = re.sub(r"<!--.*?-->", "", FENCE.sub("", page.read_text(encoding="utf-8")), flags=re.DOTALL)
    prose = re.sub(r"\$\$.*?\$\$", "", prose, flags=re.DOTALL)
    assert [line for line in prose.splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_the_api_page_has_every_name_of_the_root():
    text = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\.\. auto\w+:: (?:usadelfem\.)?(?:\w+\.)*(\w+)", text, re.MULTILINE))
    spaces = set(re.findall(r"``uf\.(\w+)``", text))  # named in the text
    assert set(uf.__all__) - listed - spaces == set()
    assert {name for name in vars(uf.results) if name[0].isupper()} - listed == set()


def test_built_pages_load_no_script_from_elsewhere():
    built = ROOT / "docs" / "_build" / "html"
    if not built.exists():
        pytest.skip("the documentation is not built")
    for page in built.rglob("*.html"):
        assert not re.search(r"<script[^>]*src=\"(https?:)?//", page.read_text(encoding="utf-8")), page.name


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in PAGES if page.parent != ROOT}
    assert pages - set(index.splitlines()) == {"index"}


def test_lines_of_examples_are_short():
    for script in (ROOT / "examples").glob("*.py"):
        code = script.read_text(encoding="utf-8").split('"""', 2)[2].splitlines()
        assert [line for line in code if len(line) > 88 and not line.lstrip().startswith("#")] == [], script.name


def test_laboratory_examples_are_shorter_than_25_lines():
    for script in (ROOT / "examples").glob("lab_*.py"):
        code = script.read_text(encoding="utf-8").split('"""', 2)[2].splitlines()
        lines = [line for line in code if line.strip() and not line.startswith(("#", "import ", "from "))]
        assert len(lines) < 25, script.name
