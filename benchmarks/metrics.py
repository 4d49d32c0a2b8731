"""Time and memory of the study's metrics, against the encodes alone that disentanglement_lib's sampling needs.

    python benchmarks/metrics.py --part=codes          FactorVAE, BetaVAE and MIG with codes given
    python benchmarks/metrics.py --part=trees          DCI's trees against scikit-learn's own fits
    python benchmarks/metrics.py --part=study --grid=cars3d | dsprites      encoder included; a second call; memory

`study` runs the seven metrics of the large-scale study that fit no boosted
trees, at their full sizes, on a model with the conv encoder and 10 latents.
disentanglement_lib encodes 2,971,110 observations for them, in calls of 64 and
16: some such calls are timed before and after, and extrapolated. Nearly all time
is that of scikit-learn's LogisticRegressionCV in the downstream task, which
disentanglement_lib spends on top of the encodes; `--predictor` exchanges it.
"""

import argparse
import functools
import os
import pathlib
import resource
import statistics
import tempfile
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gin  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from sklearn.ensemble import GradientBoostingClassifier  # noqa: E402

from dislib_plus.data import ResidentGrid, register  # noqa: E402
from dislib_plus.data.base import GroundTruthData, aligned_empty  # noqa: E402
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.encoding import code_table
from dislib_plus.evaluation.metrics import beta_vae, factor_vae, mig
from dislib_plus.evaluation.predictors import (
    boosted_trees,  # noqa: E402
    threads,  # noqa: E402
)
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.methods import BetaVAE  # noqa: E402

GRIDS = {"cars3d": ((4, 24, 183), 3, 60), "dsprites": ((3, 6, 40, 32, 32), 1, 4)}
METRICS = ["beta_vae_sklearn", "factor_vae_metric", "mig", "sap_score", "modularity_explicitness", "unsupervised",
           "downstream_task_logistic_regression"]
# BetaVAE 15,000 points of 64 pairs, FactorVAE 15,000 votes of 64 and 10,000 for the variances; MIG, unsupervised
# 10,000 each; SAP, modularity 15,000 each; downstream 10 + 100 + 1,000 + 10,000 and four times 5,000.
ENCODES = {64: 15000 * 128 + 15000 * 64 + 10000, 16: 2 * 10000 + 2 * 15000 + 31110}
GIBIBYTE = 2 ** 30


def timed(function):
    """Seconds that a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def report(what, value, unit, target, is_met):
    """Prints one figure beside its target."""
    print(f"{what:58s} {value:9.2f} {unit:8s} target {target:14s} {'met' if is_met else 'MISSED'}", flush=True)


def factor_images(sizes, channels):
    """Images uint8 [n, 64, 64, channels] in which every value of every factor adds a random picture."""
    random_state = np.random.RandomState(0)
    coarse = [random_state.randint(0, 256, (size, 8, 8, channels)) // len(sizes) for size in sizes]
    pictures = [np.kron(table, np.ones((1, 8, 8, 1), np.int64)).astype(np.uint8) for table in coarse]
    images = np.zeros((1, 64, 64, channels), np.uint8)
    for table in pictures[:-1]:
        images = (images[:, np.newaxis] + table).reshape(-1, 64, 64, channels)
    whole = aligned_empty((len(images), *pictures[-1].shape))
    for number, image in enumerate(images):
        np.add(image, pictures[-1], out=whole[number])
    return whole.reshape(-1, 64, 64, channels)


@functools.cache
def grid(name):
    """The data set of that name, made once."""
    sizes, channels, _ = GRIDS[name]
    return ResidentGrid(f"benchmark_{name}", [f"factor {k}" for k in range(len(sizes))], sizes,
                        factor_images(sizes, channels))


for grid_name in GRIDS:
    register(f"benchmark_{grid_name}")(lambda root, name=grid_name: grid(name))


def saved_run(name, folder):
    """A run directory whose model's codes have about unit variance; returns the model."""
    data = grid(name)
    model = BetaVAE(beta=4.0, latents=10)
    model.build((None, *data.observation_shape))
    probe = np.random.RandomState(0).randint(data.num_observations, size=64)
    scale = np.std(model.represent(data.observations(probe)), axis=0) + 1e-12
    head = model.encoder.get_layer("means")
    head.set_weights([weight / scale for weight in head.get_weights()])
    model.save(folder / "model.keras")
    (folder / "results/gin").mkdir(parents=True)
    (folder / "results/gin/train.gin").write_text(f"dataset.name = 'benchmark_{name}'\n")
    return model


def encode_seconds(model, shape, calls):
    """Seconds of `calls` encoder calls per batch size, NumPy in and out as disentanglement_lib asks."""
    represent = tf.function(model.represent)
    seconds = {}
    for batch in ENCODES:
        images = np.random.RandomState(0).random_sample((batch, *shape)).astype(np.float32)
        represent(images).numpy()
        seconds[batch] = timed(lambda: [represent(images).numpy() for _ in range(calls)])
    return seconds


def study(name, calls, predictor):
    """A first and a second call of the seven metrics against the encodes alone; peak memory."""
    target = GRIDS[name][2]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = saved_run(name, folder)
        data = grid(name)
        measured = [encode_seconds(model, data.observation_shape, calls)]
        walls, shown, head = [], {}, f"predictor.predictor_fn = @{predictor}"
        for seed in (0, 1):
            scores = {}
            walls.append(timed(lambda: runner.run(
                sources.from_directory(folder), METRICS, folder / f"seed_{seed}",
                gin_bindings=[f"evaluation.random_seed = {seed}", head], report=scores.__setitem__)))
            shown[seed] = scores
        measured.append(encode_seconds(model, data.observation_shape, calls))
    print(f"{name}: {data.num_observations} images {data.observation_shape}; seconds of each metric in both calls")
    for metric in METRICS:
        print(f"  {metric:40s} " + " ".join(f"{shown[seed][metric]['elapsed_time']:9.2f}" for seed in shown))
    baseline = 0.0
    for batch, count in ENCODES.items():
        seconds = statistics.mean(part[batch] for part in measured)
        baseline += seconds * count / (calls * batch)
        print(f"  encodes in calls of {batch}: {calls} calls measured, {seconds:.2f} s; {count} observations, "
              f"{seconds * count / (calls * batch):.0f} s")
    for what, wall, goal in zip(("first call", "second seed, codes kept"), walls, (target, 30)):
        report(f"  encodes alone / {what}", baseline / wall, "times", f">= {goal}", baseline / wall >= goal)
    logistic = [shown[seed]["downstream_task_logistic_regression"]["elapsed_time"] for seed in shown]
    others = baseline * (1 - 31110 / sum(ENCODES.values()))
    print("  without the downstream task: " + ", ".join(
        f"{others / (wall - own):.1f} times" for wall, own in zip(walls, logistic)))
    size = data.num_observations * int(np.prod(data.observation_shape)) / GIBIBYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
    report("  peak memory over the images' size", peak - size, "GiB", "< 1", peak - size < 1)


class Indices(GroundTruthData):
    """A grid without images: observations are never asked for."""

    def observations(self, indices, seed=None):
        """Refuses: the table of codes is full."""
        raise NotImplementedError


def with_codes(rounds):
    """FactorVAE, BetaVAE and MIG at full sizes where codes are given."""
    for name, (sizes, _, _) in GRIDS.items():
        data = Indices(name, [f"factor {k}" for k in range(len(sizes))], sizes)
        table = code_table.CodeTable(data, None)
        factors = data.index_to_factors(np.arange(data.num_observations))
        noise = np.random.RandomState(0).normal(size=(data.num_observations, 10))
        table.codes = noise.astype(np.float32)
        table.codes[:, :len(sizes)] += (factors / np.std(factors, axis=0)).astype(np.float32)
        table.known[:] = True
        rows = np.random.RandomState(1).randint(data.num_observations, size=10000)
        calls = {
            "FactorVAE": (3.0, lambda: factor_vae.compute_factor_vae(
                code_table.IndexedData(data), table.lookup, np.random.RandomState(0), batch_size=64, num_train=10000,
                num_eval=5000, num_variance_estimate=10000)),
            "BetaVAE": (3.0, lambda: beta_vae.compute_beta_vae_sklearn(
                code_table.IndexedData(data), table.lookup, np.random.RandomState(0), batch_size=64, num_train=10000,
                num_eval=5000)),
            "MIG, 10,000 x 10": (0.1, lambda: mig.mig(table.codes[rows], factors[rows])),
        }
        for what, (limit, call) in calls.items():
            call()
            busy = time.process_time()
            seconds = statistics.median(timed(call) for _ in range(rounds))
            busy = (time.process_time() - busy) / rounds
            report(f"{what} with codes of {name} ({busy:.3f} CPU s)", seconds, "s", f"< {limit} s", seconds < limit)


def trees(rows, rounds):
    """Fits of DCI's default trees, and of XGBoost's, against scikit-learn's own one after the other."""
    random_state = np.random.RandomState(0)
    targets = [random_state.randint(size, size=rows) for size in (3, 6, 10)]
    table = random_state.normal(size=(rows, 10))
    table[:, :3] += np.stack(targets, axis=1)
    cores = threads.count()
    sides = {"scikit-learn": lambda: [GradientBoostingClassifier(random_state=0).fit(table, y) for y in targets]}
    for backend in boosted_trees.BACKENDS:
        sides[backend] = functools.partial(boosted_trees.fit_boosted_trees, table, targets,
                                           np.random.RandomState(0), backend=backend)
    seconds = [{name: timed(side) for name, side in sides.items()} for _ in range(rounds)]
    for backend in boosted_trees.BACKENDS:
        ratio = statistics.median(entry["scikit-learn"] / entry[backend] for entry in seconds)
        goal = 0.8 * cores if backend == "sklearn" else 1.0
        report(f"DCI's trees, backend {backend}, {rows} rows, {cores} cores", ratio, "times", f">= {goal:.1f}",
               ratio >= goal)


def main():
    """Reads the flags and measures one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("codes", "trees", "study"), required=True)
    parser.add_argument("--grid", choices=sorted(GRIDS), default="cars3d")
    parser.add_argument("--rows", type=int, default=2000, help="rows on which trees are fitted")
    parser.add_argument("--calls", type=int, default=300, help="encoder calls measured per batch size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--predictor", default="logistic_regression_cv", help="of the downstream task, in `study`")
    options = parser.parse_args()
    gin.parse_config("prune_dims.threshold = 0.05")
    if options.part == "study":
        study(options.grid, options.calls, options.predictor)
    elif options.part == "codes":
        with_codes(options.rounds)
    else:
        trees(options.rows, options.rounds)


if __name__ == "__main__":
    main()
