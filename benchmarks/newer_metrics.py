"""Time of the metrics of codes that people report today, and what they make of codes with known faults.

    python benchmarks/newer_metrics.py --part=time      10,000 points x 10 codes of 5 factors, against 5 s
    python benchmarks/newer_metrics.py --part=stress    10 kinds of encoders x 4 laws of factors: metrics.md

`stress` scores codes with one fault each, and writes where a metric does not say what it should: a perfect code below
0.9, or a fault that the metric is for and that lowers its score by less than 0.1.
"""

import argparse
import functools
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import sklearn  # noqa: E402

from dislib_plus import provenance  # noqa: E402
from dislib_plus.evaluation.metrics import (  # noqa: E402
    dci_es,
    dci_regression,
    factor_vae,
    infomec,
    jemmig,
    mcc,
    med,
    mig,
    mig_sup,
    minimality_sufficiency,
    modularity_explicitness,
    omes,
    r2,
    sap_score,
    tad,
)
from dislib_plus.evaluation.predictors import threads  # noqa: E402

RESULTS = pathlib.Path(__file__).with_name("results")
SIZES = (3, 6, 10, 8, 8)
LIMIT = 5.0


def state():
    """A generator that starts anew for every score."""
    return np.random.RandomState(0)


VOTES = {"num_train": 500, "num_eval": 300, "batch_size": 32}
FORESTS = {"num_trees": 5, "depths": (8,)}
# Column of the table: (function, key, faults that must lower it: m mixed factors, c copies or spread, l loss).
METRICS = {
    "MIG": (mig.mig, "discrete_mig", "cml"),
    "MIG-sup": (mig_sup.mig_sup, "mig_sup", "m"),
    "FactorVAE": (lambda z, y: factor_vae.factor_vae(z, y, state(), **VOTES), "eval_accuracy", "ml"),
    "SAP": (functools.partial(sap_score.sap, continuous_factors=True), "SAP_score", "cl"),
    "DCI D": (lambda z, y: _forest(z, y), "disentanglement", "m"),
    "DCI C": (lambda z, y: _forest(z, y), "completeness", "c"),
    "MED": (med.med, "med", "m"),
    "modularity": (lambda z, y: modularity_explicitness.modularity_explicitness(z, y), "modularity_score", "m"),
    "InfoM": (lambda z, y: _infomec(z, y), "infom", "m"),
    "InfoC": (lambda z, y: _infomec(z, y), "infoc", "c"),
    "InfoE": (lambda z, y: _infomec(z, y), "infoe", "l"),
    "RMIG": (functools.partial(jemmig.rmig, continuous_factors=False), "rmig", "cl"),
    "JEMMIG": (functools.partial(jemmig.jemmig, continuous_factors=False), "jemmig", "cml"),
    "DCIMIG": (functools.partial(jemmig.dcimig, continuous_factors=False), "dcimig", "ml"),
    "minimality": (minimality_sufficiency.minimality_sufficiency, "minimality", "m"),
    "sufficiency": (minimality_sufficiency.minimality_sufficiency, "sufficiency", "l"),
    "MCC": (mcc.mcc, "mcc_coverage", "l"),
    "R2": (r2.r2, "r2_test", "l"),
    "R2 matched": (r2.r2, "r2_matched_test", "ml"),
    "TAD share": (lambda z, y: {"share": 2 * tad.tad(z, y)["tad"] / y.shape[1]}, "share", "cl"),
    "OMES": (None, "omes", "cm"),
}


class _Memory:
    """The latest dict of a slow function: several columns read it."""

    def __init__(self, function):
        self.function, self.seen, self.scores = function, None, None

    def __call__(self, codes, factors):
        if self.seen is not codes:
            self.seen, self.scores = codes, self.function(codes, factors)
        return self.scores


_forest = _Memory(lambda z, y: dci_regression.dci_regression(z, y, random_state=state(), **FORESTS))
_infomec = _Memory(infomec.infomec)


def laws(points):
    """{name: factors [points, K]}: how factors are distributed."""
    draw = state()
    uniform = np.stack([draw.randint(size, size=points) for size in SIZES], axis=1)
    skewed = np.stack([np.minimum(draw.geometric(0.45, size=points) - 1, size - 1) for size in SIZES], axis=1)
    together = uniform.copy()
    same = draw.random_sample(points) < 0.7
    together[:, 4] = np.where(same, together[:, 3], together[:, 4])
    binary = draw.randint(2, size=(points, len(SIZES)))
    return {"uniform": uniform, "skewed": skewed, "correlated": together, "binary": binary}


def encoders(factors, sample, seed=0):
    """{name: (codes, fault)}: "" no fault, m factors mixed in a code, c a factor in several codes, l something lost.

    Args:
      factors: [n, K]; sample: factors [m, K] that give the scales; seed: of the noise.
    """
    standard = (factors - sample.mean(axis=0)) / sample.std(axis=0)
    noise = np.random.RandomState(seed).normal(size=standard.shape)
    rotation = np.linalg.qr(state().normal(size=(standard.shape[1],) * 2))[0]
    halves = np.stack([np.where(standard > 0, standard, 0), np.where(standard < 0, standard, 0)], axis=-1)
    sizes = sample.max(axis=0) + 1
    return {
        "perfect": (standard, ""), "curved": (np.sign(standard) * np.abs(standard) ** 3, ""),
        "scaled": (standard * 0.1 ** (np.arange(standard.shape[1]) / 2), ""),
        "dead codes": (np.hstack([standard, 1e-3 * noise]), ""),
        "copied": (np.hstack([standard, standard]), "c"),
        "spread": (halves.reshape(len(standard), -1), "c"),
        "merged": (np.column_stack([factors[:, 0] * sizes[1] + factors[:, 1], factors[:, 2] * sizes[3] + factors[:, 3],
                                    standard[:, 4]]) * 1.0, "m"),
        "rotated": (standard @ rotation, "mc"), "missing": (standard[:, :-2], "l"),
        "random": (noise, "mcl"),
    }


def verdict(value, perfect, fault, sees):
    """"!" where a score does not say what it should, else ""."""
    if not fault:
        return "!" if value < 0.9 else ""
    return "!" if set(fault) & set(sees) and value > perfect - 0.1 else ""


def omes_scores(factors):
    """{encoder: OMES's dict}, of pairs that differ in one factor, which takes any of its values."""
    draw, sides = np.random.RandomState(1), ([], [])  # another stream than that of the factors
    for factor in range(factors.shape[1]):
        second = factors.copy()
        second[:, factor] = draw.randint(factors[:, factor].max() + 1, size=len(factors))
        for side, part, seed in zip(sides, (factors, second), (2 * factor, 2 * factor + 1)):
            side.append(encoders(part, factors, seed))
    return {name: omes.omes_of_pairs(*(np.array([codes[name][0] for codes in side]) for side in sides))
            for name in sides[0][0]}


def all_scores(factors):
    """{(encoder, metric): score} of one law of factors."""
    scores, of_pairs = {}, omes_scores(factors)
    for encoder, (codes, _) in encoders(factors, factors).items():
        for name, (function, key, _) in METRICS.items():
            found = of_pairs[encoder] if function is None else function(codes, factors)
            scores[encoder, name] = found[key]
    return scores


def stress(points):
    """Writes the page: a table of scores for each law, and what fails where."""
    tables, failures = [], {name: [] for name in METRICS}
    for law, factors in laws(points).items():
        scores, rows = all_scores(factors), []
        for encoder, (_, fault) in encoders(factors, factors).items():
            cells = []
            for name, (_, _, sees) in METRICS.items():
                value = scores[encoder, name]
                mark = verdict(value, scores["perfect", name], fault, sees)
                if mark:
                    failures[name].append(f"{encoder} ({law})")
                cells.append(f"{value:.2f}{mark}")
            rows.append(f"| {encoder} | {' | '.join(cells)} |")
        head = f"| codes | {' | '.join(METRICS)} |\n| --- |{' ---: |' * len(METRICS)}"
        tables.append(f"## Factors: {law}\n\n{head}\n" + "\n".join(rows))
        print(tables[-1], flush=True)
    listed = "\n".join(f"| {name} | {METRICS[name][2]} | {'; '.join(places) or 'nowhere'} |"
                       for name, places in failures.items())
    made = {**provenance.environment(), "scipy": scipy.__version__, "scikit_learn": sklearn.__version__}
    versions = ", ".join(f"{name} {version}" for name, version in made.items())
    (RESULTS / "metrics.md").write_text(PAGE.format(points=points, tables="\n\n".join(tables), listed=listed,
                                                    versions=versions), encoding="utf-8")


PAGE = """# Which metric fails where

    python benchmarks/newer_metrics.py --part=stress

{points} points of five factors (3, 6, 10, 8 and 8 values; two where they are binary) by four laws: uniform; skewed
(geometric); the last two equal for 70 % of the points; binary. Ten kinds of codes, all but the last without noise:
perfect; cubed; of scales that fall by 10 every two codes; with five codes of noise of 0.001 beside; copied; each factor
in two codes, its upper and its lower part; two pairs of factors in one code each; rotated; two factors missing; random.

Each metric is for some faults: c, a factor in several codes; m, several factors in one code; l, something is lost. It
fails, "!", where codes without a fault score below 0.9, or where codes with a fault that it is for score less than 0.1
below the perfect ones. OMES is that with `correction` (it sets factors, so their law matters less), MCC its coverage,
TAD that of the upper halves of the values, divided by its largest value K/2. What is estimated from {points} points has
their noise and bias: InfoM and InfoC are read beside InfoE.

{tables}

## In short

| metric | is for | fails at |
| --- | --- | --- |
{listed}

Made with {versions}
"""


def timing(points):
    """Seconds of each metric at 10 codes and 5 factors."""
    draw = state()
    factors = np.stack([draw.randint(size, size=points) for size in (3, 6, 40, 32, 32)], axis=1)
    codes = draw.normal(size=(points, 10))
    codes[:, :5] += factors / factors.std(axis=0) * 3
    half = points // 2
    grid = np.indices((3, 6, 10, 8, 7)).reshape(5, -1).T
    calls = {
        "infomec": lambda: infomec.infomec(codes, factors), "tad": lambda: tad.tad(codes, factors),
        "mcc": lambda: mcc.mcc(codes, factors, folds=5), "mcc_spearman": lambda: mcc.mcc(codes, factors, "spearman"),
        "rmig": lambda: jemmig.rmig(codes, factors), "jemmig": lambda: jemmig.jemmig(codes, factors),
        "dcimig": lambda: jemmig.dcimig(codes, factors),
        "minimality_sufficiency": lambda: minimality_sufficiency.minimality_sufficiency(codes, factors),
        **{f"r2_{features}": functools.partial(r2.r2, codes, factors, codes[:half], factors[:half], features)
           for features in r2.FEATURES},
        "omes": lambda: omes.omes(np.hstack([grid, grid]) * 1.0, grid),
        "dci_es": lambda: dci_es.dci_es(codes, factors, codes[:half], factors[:half]),
    }
    print(f"{points} points, 10 codes, 5 factors, {threads.count()} cores")
    for name, call in calls.items():
        busy, wall = time.process_time(), time.perf_counter()
        call()
        busy, wall = time.process_time() - busy, time.perf_counter() - wall
        print(f"| {name} | {wall:.2f} | {busy:.2f} | {'met' if busy / threads.count() < LIMIT else 'MISSED'} |",
              flush=True)


def main():
    """Reads the flags and runs one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("time", "stress"), required=True)
    parser.add_argument("--points", type=int, help="default: 10,000 of `time`, 1,000 of `stress`")
    options = parser.parse_args()
    (timing if options.part == "time" else stress)(options.points or {"time": 10000, "stress": 1000}[options.part])


if __name__ == "__main__":
    main()
