"""The annealing test: the weight of the KL at which information about a factor freezes (DEFT, Wu et al. 2022).

For each factor, a VAE with one latent variable is trained on images among which only that factor varies,
while beta falls. The information freezing point is the largest beta from which on the latent variable
tells of the factor: I(z;c) > threshold at all later moments, so that what an untrained encoder tells by chance
does not count. A factor with a high point is learned under a strong bottleneck.
"""

import csv
import dataclasses
import math
import pathlib

import numpy as np

from dislib_plus import files
from dislib_plus.training import csv_series
from dislib_plus.training.train import train_with_gin
from dislib_plus.visualize import annealing_test as picture


@dataclasses.dataclass(frozen=True)
class Curve:
    """One run of the test.

    Attributes:
      factor: name; repeat: number, which is also the seed.
      beta: list of weights of the KL; information: list of I(z;c) at them, nats.
      threshold: nats.
    """

    factor: str
    repeat: int
    beta: list
    information: list
    threshold: float

    @property
    def freezing_point(self):
        """The first beta from which on I > threshold; NaN where it is not at the end."""
        below = [number for number, value in enumerate(self.information) if not value > self.threshold]
        first = below[-1] + 1 if below else 0
        return self.beta[first] if first < len(self.beta) else math.nan


def run(folder, factors, num_repeats, threshold, gin_config_files, gin_bindings):
    """Trains every factor `num_repeats` times, each with other values of the fixed factors; goes on where it was.

    Args:
      folder: of the runs, one folder each.
      factors: names.
      num_repeats: seeds 0, 1, ...
      threshold: nats.
      gin_config_files, gin_bindings: a recipe with `dataset.name = "single_factor:NAME"` and with analyses.

    Yields:
      Curve.

    Raises:
      ValueError: the recipe leaves out the analyses "information" or "loss_weights".
    """
    for repeat in range(num_repeats):
        for factor in factors:
            path = pathlib.Path(folder) / files.file_name(f"{factor.replace(' ', '_')}-{repeat}")
            train_with_gin(path, gin_config_files=gin_config_files, gin_bindings=[
                *gin_bindings, f"single_factor.factor = {factor!r}", f"single_factor.random_seed = {repeat}",
                f"model.random_seed = {repeat}"])
            yield read(path, factor, repeat, threshold)


def read(path, factor, repeat, threshold):
    """The Curve of a finished run; the most informative latent variable where there are several."""
    tables = [path / "analyses" / "train" / f"{name}.csv" for name in ("loss_weights", "information")]
    if not all(table.is_file() for table in tables):
        raise ValueError(f"{path} has no analyses of information and loss weights; the recipe must bind "
                         "analyses.every_steps, and analyses.which must list 'information' and 'loss_weights'.")
    weights, information = map(csv_series.read, tables)
    best = [max(value for column, value in row.items() if column.endswith(f".{factor}")) for _, row in information]
    return Curve(factor, repeat, [row["kl"] for _, row in weights], best, threshold)


def write(folder, curves):
    """Writes freezing_points.csv, freezing_points.md and freezing_points.png.

    Args:
      folder: made if needed.
      curves: list of Curve.
    """
    folder = pathlib.Path(folder)
    with files.atomic_write(folder / "freezing_points.csv") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["factor", "repeat", "freezing_point", "final_information", "threshold"])
        writer.writerows([curve.factor, curve.repeat, curve.freezing_point, curve.information[-1], curve.threshold]
                         for curve in curves)
    with files.atomic_write(folder / "freezing_points.md") as stream:
        stream.write("| factor | freezing point (beta) | runs that froze | final I(z;c) (nats) |\n"
                     "| --- | ---: | ---: | ---: |\n")
        stream.writelines(f"| {' | '.join(row)} |\n" for row in summary(curves))
    picture.chart(curves, folder / "freezing_points.png")


def summary(curves):
    """One row a factor, highest freezing point first: name, mean and deviation over runs, their number, information."""
    rows = []
    for factor in dict.fromkeys(curve.factor for curve in curves):
        mine = [curve for curve in curves if curve.factor == factor]
        points = np.array([curve.freezing_point for curve in mine])
        points = points[np.isfinite(points)]
        mean = points.mean() if points.size else np.nan
        spread = f" ± {points.std(ddof=1):.1f}" if points.size > 1 else ""
        text = f"{mean:.1f}{spread}" if points.size else f"below {min(min(curve.beta) for curve in mine):.1f}"
        rows.append((mean, (factor, text, f"{points.size} of {len(mine)}",
                            f"{np.mean([curve.information[-1] for curve in mine]):.2f}")))
    return [row for _, row in sorted(rows, key=lambda pair: -np.nan_to_num(pair[0], nan=-1.0))]
