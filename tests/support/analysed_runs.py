"""What the analyses of a run have left behind, and runs that crash."""

import tensorflow as tf

from dislib_plus.training import callbacks, csv_series


class Interrupted(Exception):
    """Stands for a crash."""


def tables(folder, stage="train"):
    return {path.stem: path.read_text() for path in sorted((folder / "analyses" / stage).glob("*.csv"))}


def steps_of(folder, name, stage="train"):
    return [step for step, _ in csv_series.read(folder / "analyses" / stage / f"{name}.csv")]


def pictures(folder, stage="train", name="traversals"):
    return {path.name: path.read_bytes() for path in sorted((folder / "analyses" / stage).glob(f"{name}_*.png"))}


def events(folder, stage="train"):
    """List of (tag, step, content) of the analyses' event files, sorted."""
    found = []
    for path in (folder / "events" / stage / "analyses").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            found += [(value.tag, event.step, tf.make_ndarray(value.tensor).tolist()) for value in event.summary.value]
    return sorted(found)


def values(folder, name, step=30, stage="train"):
    return dict(csv_series.read(folder / "analyses" / stage / f"{name}.csv"))[step]


def same_analyses(first, second, stage="train"):
    assert tables(first, stage) == tables(second, stage)
    for name in ("traversals", "information_flow"):
        assert pictures(first, stage, name) == pictures(second, stage, name)
    assert events(first, stage) == events(second, stage)


def crash_at(monkeypatch, step_of_crash, stage="train"):
    at_step = callbacks.Progress.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step >= step_of_crash and self.title == stage:
            raise Interrupted
    monkeypatch.setattr(callbacks.Progress, "at_step", failing)
    return lambda: monkeypatch.setattr(callbacks.Progress, "at_step", at_step)
