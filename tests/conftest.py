"""The longest files come first, so that two workers end at about the same time."""

import os
from collections import Counter

import pytest

import usadelfem as uf
from usadelfem.defaults import change_defaults


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    # A stable order: files stay together. Examples that a gallery runs meanwhile are looked at in the end.
    waiting = "USADELFEM_GALLERY" in os.environ
    items.sort(key=lambda item: (waiting and item.path.stem == "test_examples", -slow[item.path]))


@pytest.fixture(autouse=True)
def natural_units():
    """No test leaves its units and options to the next."""
    yield
    uf.natural()
    change_defaults({"workers": None, "linear_solver": None, "progress": None, "states": None})
