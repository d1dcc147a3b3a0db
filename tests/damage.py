"""Files damaged at random, and what comes of loading them; by hand: `python tests/damage.py FILE TRIES`."""

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

import usadelfem as uf


def damaged_copies(data, tries, seed=0):
    """The bytes of a file with a flipped bit, another byte, a block of zeros or of noise, or without their end."""
    rng = np.random.default_rng(seed)
    for n in range(tries):
        copy = np.frombuffer(data, np.uint8).copy()
        start = int(rng.integers(len(copy) if n % 2 else min(len(copy), 4096)))
        block = slice(start, start + int(rng.choice([8, 64, 512, 4096])))
        how = ("bit", "byte", "zeros", "noise", "end")[n % 5]
        if how == "bit":
            copy[start] ^= 1 << rng.integers(8)
        elif how == "byte":
            copy[start] = rng.integers(256)
        elif how == "zeros":
            copy[block] = 0
        elif how == "noise":
            copy[block] = rng.integers(0, 256, len(copy[block]))
        yield how, copy[:start].tobytes() if how == "end" else copy.tobytes()


def numbers(result):
    """All numbers that a result holds."""
    if isinstance(result, uf.results.SweepResult):
        parts = (result.values, result.parameters)
        return [np.asarray(array) for part in parts for array in (part.values() if hasattr(part, "values") else [part])]
    current = uf.charge_current(result)
    return [result.riccati, result.frequencies, result.weights, current.quadrature, current.at_corners]


def outcomes(path, tries, seed=0):
    """How often damaged copies of a file load as the same numbers ("same"), as others ("other"), or are refused.

    Any exception but FileError is raised.
    """
    data, expected, count, slowest = path.read_bytes(), numbers(uf.load(path)), Counter(), 0.0
    copy = path.with_name("damaged.h5")
    for _, changed in damaged_copies(data, tries, seed):
        copy.write_bytes(changed)
        start = time.perf_counter()
        try:
            found = numbers(uf.load(copy))
        except uf.errors.FileError as error:
            named = str(error).startswith(f"file {copy} is damaged: ") or "in format" in str(error)
            count["refused" if named else "unnamed"] += 1
        else:
            same = len(found) == len(expected) and all(map(np.array_equal, found, expected))
            count["same" if same else "other"] += 1
        slowest = max(slowest, time.perf_counter() - start)
    copy.unlink()
    return count, slowest


if __name__ == "__main__":
    print(*outcomes(Path(sys.argv[1]), int(sys.argv[2])))
