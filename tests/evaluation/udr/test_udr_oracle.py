"""Equality with disentanglement_lib's recorded UDR scores on closed-form models (`oracle/`, see its README)."""

import importlib.util
import json
import os
import pathlib

import numpy as np
import pytest

from dislib_plus.data.base import GroundTruthData
from dislib_plus.evaluation.udr.metrics import udr

ROOT = pathlib.Path(__file__).resolve().parents[3]
ORACLE = pathlib.Path(os.environ.get("DISLIB_SHARED", ROOT.parent / "shared")) / "oracle"
UDR = json.loads((ORACLE / "scores_udr.json").read_text()) if ORACLE.is_dir() else {"records": []}
pytestmark = pytest.mark.skipif(not UDR["records"], reason=f"the oracle is not at {ORACLE}; set DISLIB_SHARED")


class FactorVectors(GroundTruthData):
    """A grid whose observations are its factor vectors, float64."""

    def observations(self, indices, seed=None):
        return self.index_to_factors(indices).astype(np.float64)

    def sample_observations_from_factors(self, factors, random_state):
        return self.observations(self.sample_indices_from_factors(factors, random_state))


@pytest.fixture(scope="module")
def representations():
    """The oracle's module of closed-form representations."""
    spec = importlib.util.spec_from_file_location("oracle_representations", ORACLE / "representations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("record", [pytest.param(record, id="-".join(str(record[key]) for key in (
    "dataset", "correlation_matrix", "filter_low_kl", "num_data_points", "seed"))) for record in UDR["records"]
    if record["num_data_points"] == 1000])
def test_udr(record, representations):
    sizes, lowest = representations.DATASETS[record["dataset"]]
    functions = [representations.make_udr_model(name, sizes, lowest) for name in UDR["models"]]
    scores = udr.compute_udr_sklearn(
        FactorVectors(record["dataset"], [str(k) for k in range(len(sizes))], sizes), functions,
        np.random.RandomState(record["seed"]), record["batch_size"],
        record["num_data_points"], record["correlation_matrix"], record["filter_low_kl"])
    for key, expected in record["scores"].items():
        expected = np.nan_to_num(np.array(expected, np.float64))
        np.testing.assert_allclose(scores[key], expected, rtol=0, atol=1e-12, err_msg=key)
