"""Records of metrics that disentanglement_lib lacks, `oracle/scores_newer.json`, and the points that they score.

An observation is a vector of factors; see the README of `oracle/` and `about` in the file.
"""

import functools
import importlib.util
import json
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORACLE = pathlib.Path(os.environ.get("DISLIB_SHARED", ROOT.parent / "shared")) / "oracle"


@functools.cache
def content():
    """The file, empty where there is no oracle."""
    path = ORACLE / "scores_newer.json"
    return json.loads(path.read_text()) if path.is_file() else {"records": [], "inputs": {}}


def records(*metrics):
    """The records of these metrics."""
    return [record for record in content()["records"] if record["metric"] in metrics]


def name(record):
    """What tests call a record."""
    return "-".join(str(record[key]) for key in ("metric", "dataset", "representation", "num"))


def expected(record):
    """The scores of a record, the documented ones where the reference has an error, NaN or another entropy."""
    return {**record.get("scores", {}), **record.get("documented", {})}


@functools.cache
def formulas():
    """The oracle's module of closed-form representations."""
    spec = importlib.util.spec_from_file_location("oracle_representations", ORACLE / "representations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sizes(dataset):
    """Number of values of each factor."""
    return formulas().DATASETS[dataset][0]


def representation(name, dataset):
    """Function of factors [n, K] that gives codes [n, D], those beyond the module by `about`'s formulas."""
    counts, module = np.array(sizes(dataset)), formulas()
    if name in module.REPRESENTATIONS:
        plain = module.make_representation(name, sizes(dataset))
        return lambda factors: plain(factors.astype(np.float64))

    def codes(factors):
        standard = (factors - (counts - 1) / 2) / np.sqrt((counts ** 2 - 1) / 12)
        index, last = module.linear_index(factors.astype(np.float64), sizes(dataset)), len(counts) - 1

        def noise(first):
            return np.stack([module.eps(index, first + k) for k in range(len(counts))], axis=1)
        made = {"random": lambda: noise(20), "cubed": lambda: standard ** 3, "missing": lambda: standard[:, :last],
                "permuted": lambda: standard[:, ::-1] * (-1.0) ** np.arange(len(counts)),
                "scales": lambda: standard * np.cumprod([1.0, *[0.1] * last])}[name]()
        return np.round(made, 6)
    return codes


def factors(dataset, num, random_state):
    """num random factors in batches of 16."""
    batches = [np.stack([random_state.randint(size, size=min(16, num - start)) for size in sizes(dataset)], axis=1)
               for start in range(0, num, 16)]
    return np.concatenate(batches)


@functools.lru_cache(maxsize=64)
def _points(dataset, representation_name, num, num_test, seed):
    random_state, encode = np.random.RandomState(seed), representation(representation_name, dataset)
    samples = [factors(dataset, size, random_state) for size in (num, num_test) if size]
    return tuple(part for sample in samples for part in (encode(sample), sample))


def points(record, num_test=0):
    """codes, factors of a record's points; with num_test also those of the test points that follow."""
    return _points(record["dataset"], record["representation"], record["num"], num_test, record["seed"])


def pairs(record, num_pairs=2000):
    """Codes [K, num_pairs, D] of both sides of OMES's pairs."""
    random_state, counts = np.random.RandomState(record["seed"]), sizes(record["dataset"])
    encode, sides = representation(record["representation"], record["dataset"]), ([], [])
    for factor, count in enumerate(counts):
        first = np.stack([random_state.randint(size, size=num_pairs) for size in counts], axis=1)
        second = first.copy()
        second[:, factor] = (first[:, factor] + random_state.randint(1, count, size=num_pairs)) % count
        sides[0].append(encode(first))
        sides[1].append(encode(second))
    return np.array(sides[0]), np.array(sides[1])


def attributes(record, factors_of_record):
    """The binary attributes of TAD's records: halves, or halves_plus."""
    halves = (2 * factors_of_record >= np.array(sizes(record["dataset"]))).astype(np.int64)
    if record["parameters"]["attributes"] == "halves":
        return halves
    first, second, third = halves.T[:3]
    return np.column_stack([halves, first, np.zeros_like(first), second & third])
