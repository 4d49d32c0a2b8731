"""Mutual information of latents with labels by quantile bins, MIG with a Concrete variable (HFVAE, A.2, fig. 8)."""

import numpy as np

from dislib_plus import checks, data

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info, mutual_information
from ..encoding import image_batches, image_codes
from ..encoding import labels as labelling
from .meanings import nats, number, share
from .requirements import has_factors_or_labels, metric


def quantile_bins(values, train_values=None, num_bins=10):
    """Bin numbers of each column, in bins that hold equal shares of the training values.

    The edges are the quantiles 1/b, ..., (b-1)/b of the training values. A value gets a bin for itself
    where two or more quantiles fall on it, and where a quantile is the smallest value. So -z gives
    the same bins as z, and a constant column one bin. The first and the last bin are open.

    Args:
      values: [n, D].
      train_values: [m, D] from which the edges are taken; None: values.
      num_bins: b.

    Returns:
      int64 [n, D].
    """
    values = sample_checks.check_codes(values, minimum_points=1)
    train_values = values if train_values is None else sample_checks.check_codes(train_values, name="train_codes")
    checks.count("num_bins", num_bins, 2)
    if train_values.shape[1] != values.shape[1]:
        raise ValueError(f"codes and train_codes must have the same columns; received {values.shape} and "
                         f"{train_values.shape}.")
    edges = np.quantile(train_values, np.arange(1, num_bins) / num_bins, axis=0)
    return np.stack([np.searchsorted(_bin_edges(edges[:, j], train_values[:, j].min()), values[:, j], side="right")
                     for j in range(values.shape[1])], axis=1)


def _bin_edges(quantiles, smallest):
    """Ascending edges; a bin begins at its edge and ends before the next."""
    edges, counts = np.unique(quantiles, return_counts=True)
    alone = edges[(counts > 1) | (edges == smallest)]
    # The bin of such a value ends at the next larger number.
    return np.union1d(edges[edges > smallest], np.nextafter(alone, np.inf, dtype=edges.dtype))


def quantile_mutual_information(codes, labels, train_codes=None, num_bins=10):
    """I(z_j;y_k) = sum p(bin, y) log( p(bin, y) / (p(bin) p(y)) ), nats, plug-in.

    Args:
      codes: [n, D]; labels: [n, K], classes (columns with fractions are cut into 20 equal-width bins).
      train_codes: [m, D], where the bins' edges come from; None: codes.
      num_bins: bins a latent.

    Returns:
      float64 [D, K]; 0 for a constant latent or label.

    Raises:
      ValueError: malformed arrays.
    """
    codes, labels = sample_checks.check_codes_and_factors(codes, labels)
    bins = quantile_bins(codes, train_codes, num_bins)
    return discrete_mutual_info(bins.T, sample_checks.class_labels(labels).T)


def categorical_mutual_information(probabilities, labels):
    """I(d;y_k) of a categorical latent, with soft counts p(d=l, y=v) = 1/N sum_{x: y=v} q(d=l|x).

    Args:
      probabilities: [n, classes], rows q(d|x); labels: [n, K], classes.

    Returns:
      float64 [K], nats.

    Raises:
      ValueError: malformed arrays, or rows that are not probabilities.
    """
    probabilities, labels = sample_checks.check_codes_and_factors(probabilities, labels)
    if (probabilities < 0).any() or np.abs(probabilities.sum(axis=1) - 1.0).max() > 1e-3:
        raise ValueError("probabilities must be non-negative with rows that sum to 1; received sums from "
                         f"{probabilities.sum(axis=1).min():.4g} to {probabilities.sum(axis=1).max():.4g}.")
    classes = sample_checks.class_labels(labels)
    return np.array([mutual_information(np.eye(column.max() + 1)[column].T @ probabilities.astype(np.float64))
                     for column in classes.T])


def concrete_mig(gaussian_information, categorical_information):
    """I(y;d) - max_j I(y;z_j) in nats, not divided by H(y) (HFVAE, fig. 8); without Gaussian latents I(y;d)."""
    return float(categorical_information - np.max(gaussian_information, initial=0.0))


@metric("quantile_mutual_information", "represent", "code_spec", data=has_factors_or_labels, scores={
    "information.{y}": nats("I(z_j;y) of each Gaussian latent", low=0),
    "mig.{y}": share("gap of information about y between the two best latents, by its entropy"),
    "categorical_information.{y}": nats("I(d;y) of each categorical group", low=0),
    "concrete_mig.{y}": nats("I(d;y) of the first categorical group, less the best Gaussian latent's"),
    "num_train": number("images that the edges of the bins are taken from"),
})
def compute_quantile_mutual_information(dataset, model, random_state, num_train=None,
                                        num_images=None, num_bins=10, indicators=None, train_dataset=None,
                                        batch_size=64):
    """I(z_j;y) by quantile bins with the class label, with indicators of labels, or with every factor.

    Args:
      dataset: a DataSet with labels, or with factors.
      model: a trained model with `represent` and `code_spec`.
      random_state: np.random.RandomState.
      num_train: at most this many random images give the edges; num_images: at most this many are scored. None: all.
      num_bins: bins a latent.
      train_dataset: name of the data set (as `dataset.name`) that gives the edges; None: the one that is scored.
      indicators: None, or a dict name -> list of labels: y is then whether the (first) label is in the list.
      batch_size: images a batch of the encoder.

    Returns:
      dict. For every y (`label`, an indicator's name, or `factor_{k}`): `information.{y}` (list over the
      Gaussian latents, nats), `mig.{y}` (the best two latents' difference over H(y); 0 if y is constant), and
      with categorical groups `categorical_information.{y}` (list) and `concrete_mig.{y}` (of the first group);
      `num_train`, `num_images`.

    Raises:
      ValueError: sizes out of range, or indicators for a set without labels.
    """
    train_data = dataset if train_dataset is None else data.get_named_ground_truth_data(train_dataset)
    chosen = [image_batches.select(source, size, random_state)
              for source, size in ((dataset, num_images), (train_data, num_train))]
    codes = [image_codes.of_images(source, model, indices, batch_size, image_batches.draw_seed(random_state))
             for source, indices in zip((dataset, train_data), chosen)]
    (gaussian, tables), (train, _) = (image_codes.split_code(part, model.code_spec) for part in codes)
    result = {}
    for name, column in _targets(dataset, chosen[0], indicators):
        result.update(_scores(name, column, gaussian, tables, train, num_bins))
    return {**result, "num_train": len(chosen[1]), "num_images": len(chosen[0])}


def _scores(name, column, gaussian, tables, train, num_bins):
    """The entries of one target."""
    result, information = {}, np.zeros(0)
    if gaussian.shape[1]:
        information = quantile_mutual_information(gaussian, column, train, num_bins)[:, 0]
        result[f"information.{name}"] = information.tolist()
        result[f"mig.{name}"] = _gap(information, column)
    if tables:
        soft = [float(categorical_mutual_information(table, column)[0]) for table in tables]
        result[f"categorical_information.{name}"] = soft
        result[f"concrete_mig.{name}"] = concrete_mig(information, soft[0])
    return result


def _targets(dataset, indices, indicators):
    """Pairs (name, column [n, 1]) of what information is measured with."""
    names, labels = labelling.label_columns(dataset, indices)
    if indicators is None:
        return [(name, labels[:, k:k + 1]) for k, name in enumerate(names)]
    if dataset.num_factors:
        raise ValueError("quantile_mutual_information.indicators needs a data set with labels; "
                         f"{dataset.name!r} has factors instead.")
    return [(name, np.isin(labels[:, :1], list(values)).astype(np.int64)) for name, values in indicators.items()]


def _gap(information, column):
    entropy = discrete_entropy(column.T)[0]
    best, second = np.sort(np.append(information, 0.0))[:-3:-1]
    return float((best - second) / entropy) if entropy > 0 else 0.0
