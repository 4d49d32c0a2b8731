"""Time of CascadeVAE's inner problem: milliseconds a solve, by size and solver.

    python benchmarks/assignment.py [--rounds=5]

Each figure is the median over penalties of 0.001, 0.1 and 5 nats and utilities of 1 and of 100 nats, the range beside
it.
"""

import argparse
import itertools
import os
import statistics
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from dislib_plus.losses import assignment  # noqa: E402

SIZES = ((64, 3), (64, 10), (256, 10), (1024, 10))
PENALTIES, SPREADS = (0.001, 0.1, 5.0), (1.0, 100.0)
SOLVERS = {"places (linear_sum_assignment)": assignment.by_places, "paths": assignment.by_paths}
# The assignment of this many examples to places takes seconds.
MOST_PLACES_TIMED = 256


def milliseconds(function, rounds):
    """Shortest of some calls, after a first one."""
    function()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def solves(rounds):
    """Prints a line for each size and solver."""
    for count, classes in SIZES:
        for name, solve in SOLVERS.items():
            if solve is assignment.by_places and count > MOST_PLACES_TIMED:
                continue
            found = []
            for penalty, spread in itertools.product(PENALTIES, SPREADS):
                utilities = np.random.RandomState(0).normal(size=(count, classes)) * spread
                utilities -= utilities.max(axis=1, keepdims=True)
                found.append(milliseconds(lambda: solve(utilities, 2.0 * penalty), rounds))
            print(f"n = {count:4}, S = {classes:2}  {name:31} {statistics.median(found):7.2f} ms "
                  f"({min(found):.2f} - {max(found):.2f})")


def main():
    """Prints the median times of both solvers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    solves(options.rounds)


if __name__ == "__main__":
    main()
