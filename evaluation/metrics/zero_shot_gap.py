"""Zero-shot generalisation: what a model loses on a combination that its training data lacked (HFVAE, sec. 5.5).

Two models of one architecture: the reference saw all data, the other was
trained without a combination of a style and a class (thick sevens, narrow
zeros). The removed images are found by thresholding a latent of the reference.
"""

import os

import numpy as np

from ..arithmetic import artifacts, row_operations
from ..encoding import image_batches, image_codes
from ..encoding import labels as labelling
from ..sources import source
from .elbo_decomposition import loss_terms
from .meanings import nats, number, share
from .requirements import check_model, has_factors_or_labels, metric

TERMS = ("reconstruction", "kl")


def removed_images(codes, labels, dimension, label=None, above=None, below=None):
    """Positions of the images that are left out of training.

    Args:
      codes: [n, D], the reference's means; labels: [n].
      dimension: the latent that carries the style.
      label: only images with this label; None: any.
      above, below: only images whose latent is > above, and < below; at least one of them.

    Returns:
      int64, ascending.

    Raises:
      ValueError: no threshold, no such latent, or nothing or everything is removed.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    if above is None and below is None:
        raise ValueError("removed_images needs a threshold, above or below; received neither.")
    if not 0 <= dimension < codes.shape[1]:
        raise ValueError(f"dimension must be a latent, 0..{codes.shape[1] - 1}; received {dimension!r}.")
    style = codes[:, dimension]
    removed = np.ones(len(codes), bool) if label is None else labels == label
    removed &= (style > (-np.inf if above is None else above)) & (style < (np.inf if below is None else below))
    if removed.all() or not removed.any():
        raise ValueError(f"label={label!r}, above={above!r}, below={below!r} remove {removed.sum()} of {len(codes)} "
                         f"images (latent {dimension} runs from {style.min():.4g} to {style.max():.4g}); choose other "
                         "thresholds.")
    return np.flatnonzero(removed)


def zero_shot_gap(terms, reference_terms):
    """Loss of the model that never saw the images minus that of the reference, on these images.

    reconstruction_gap = mean rec_pruned - mean rec_full
    elbo_gap           = mean (rec + kl)_pruned - mean (rec + kl)_full
    in nats an image; positive: the model does worse. Within the noise of training
    seeds where nothing was removed.

    Args:
      terms, reference_terms: dicts with arrays `reconstruction` and `kl`, one value per removed image.

    Returns:
      dict: `reconstruction_gap`, `elbo_gap`.

    Raises:
      ValueError: a term is missing, or lengths differ.
    """
    means = []
    for part in (terms, reference_terms):
        missing = [name for name in TERMS if name not in part]
        if missing or len({len(part[name]) for name in TERMS}) != 1 or not len(part["kl"]):
            raise ValueError("terms must hold arrays reconstruction and kl of one length > 0; "
                             f"received {sorted(part)}.")
        means.append({name: float(np.mean(part[name], dtype=np.float64)) for name in TERMS})
    gaps = {name: means[0][name] - means[1][name] for name in TERMS}
    return {"reconstruction_gap": gaps["reconstruction"], "elbo_gap": gaps["reconstruction"] + gaps["kl"]}


def removed_accuracy(classes, labels, removed):
    """Accuracy of a categorical code on the removed images, every code named by its most frequent label in all images.

    Args:
      classes, labels: integers [n], of all images; removed: positions.

    Returns:
      float in [0, 1].
    """
    classes = np.unique(classes, return_inverse=True)[1]
    values, labels = np.unique(labels, return_inverse=True)
    names = row_operations.joint_counts(classes, labels).argmax(axis=1)
    return float(np.mean(names[classes[removed]] == labels[removed]))


@metric("zero_shot_gap", "loss_terms", "represent", "code_spec", data=has_factors_or_labels, scores={
    "reconstruction_gap": nats("reconstruction loss on the removed images, less the reference's", "lower"),
    "elbo_gap": nats("loss on the removed images (reconstruction and KL), less the reference's", "lower"),
    "reconstruction_removed": nats("reconstruction loss of the model on the removed images", "lower"),
    "reconstruction_removed_reference": nats("the same of the reference", "lower"),
    "accuracy_removed": share("accuracy of the categorical code on the removed images"),
    "accuracy_removed_reference": share("the same of the reference"),
    "num_removed": number("images that training lacked"),
})
def compute_zero_shot_gap(dataset, model, random_state, artifact_dir=None, reference=None, dimension=0,
                          label=None, above=None, below=None, factor=None, group=0, num_images=None, batch_size=64):
    """The gap between a model trained without a combination and a reference trained on everything.

    Args:
      dataset: a DataSet with labels or factors, the whole of it.
      model: the model trained without the removed images.
      random_state: np.random.RandomState.
      artifact_dir: where the indices of the removed images are left (`zero_shot_gap.npz`), or None.
      reference: the model trained on all images: its run directory or .keras file, or a model.
      dimension, label, above, below: what is removed, by the reference's code; see `removed_images`.
      factor: which factor or label `label` speaks of; None where there is one.
      group: which categorical group the accuracy is of; models without one report no accuracy.
      num_images: at most this many random images are searched; None: all.
      batch_size: images a batch of the networks.

    Returns:
      dict as `zero_shot_gap`, with `reconstruction_removed`, `reconstruction_removed_reference`, `accuracy_removed` and
      `accuracy_removed_reference` (with a categorical group), `num_removed`, `num_images`.

    Raises:
      ValueError: see `removed_images`; no such run.
    """
    reference = _loaded(reference)
    indices = image_batches.select(dataset, num_images, random_state)
    seed = image_batches.draw_seed(random_state)
    truth = labelling.label_column(dataset, indices, factor)
    codes = image_codes.of_images(dataset, reference, indices, batch_size, seed)
    removed = removed_images(codes, truth, dimension, label, above, below)
    artifacts.save_arrays(artifact_dir, "zero_shot_gap", removed=indices[removed])
    terms, reference_terms = (loss_terms(dataset, one, indices[removed], batch_size, seed, TERMS)
                              for one in (model, reference))
    result = zero_shot_gap(terms, reference_terms)
    result["reconstruction_removed"] = float(np.mean(terms["reconstruction"]))
    result["reconstruction_removed_reference"] = float(np.mean(reference_terms["reconstruction"]))
    if any(kind == "categorical" for kind, _ in model.code_spec):
        own = image_codes.of_images(dataset, model, indices, batch_size, seed)
        for name, one, part in (("accuracy_removed", model, own), ("accuracy_removed_reference", reference, codes)):
            result[name] = removed_accuracy(image_codes.named_classes(part, one.code_spec)[group], truth, removed)
    return {**result, "num_removed": len(removed), "num_images": len(indices)}


def _loaded(reference):
    """The reference as a model."""
    if isinstance(reference, (str, os.PathLike)):
        read = source.from_directory if os.path.isdir(reference) else source.from_keras
        reference = read(reference).model
    check_model("zero_shot_gap.reference", reference, "represent", "loss_terms", "code_spec")
    return reference
