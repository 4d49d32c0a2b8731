"""Fits that do not depend on each other, side by side: each is computed as it would be alone, so no bit changes."""

import concurrent.futures
import os

import joblib


def count(num_threads=None):
    """Threads to use: `num_threads`, or one per core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return num_threads or cores


def in_order(function, *arguments):
    """`list(map(function, *arguments))`, the calls in one thread per core; they must not share a random generator."""
    with concurrent.futures.ThreadPoolExecutor(count()) as pool:
        return list(pool.map(function, *arguments))


def scikit_learn():
    """A context in which scikit-learn fits folds and classes in threads; only for estimators that draw nothing."""
    return joblib.parallel_config("threading", n_jobs=count())
