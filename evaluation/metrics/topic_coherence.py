"""Topics of a text model: coherence by normalised mutual information, and correlation (HFVAE, sec. 5.2 and D.1)."""

import numpy as np

from ..arithmetic import artifacts, row_operations
from ..encoding import image_batches, image_codes
from .meanings import Meaning, number, share
from .requirements import metric


def top_words(topics, num_words=10):
    """Word numbers of largest weight of each topic, [T, num_words], best first (equal weights: lower number first).

    Args:
      topics: [T, V], weight of every word.
      num_words: 2..V.
    """
    topics = np.asarray(topics)
    if topics.ndim != 2 or not np.isfinite(topics).all() or not 2 <= num_words <= topics.shape[1]:
        raise ValueError(f"topics must be finite weights [T, V], and num_words lie in 2..V; received shape "
                         f"{topics.shape} and {num_words!r}.")
    return np.argsort(-topics, axis=1, kind="stable")[:, :num_words]


def npmi_coherence(words, documents):
    """Mean normalised pointwise mutual information over the pairs of each topic's words.

    NPMI(i, j) = log( p_ij / (p_i p_j) ) / (-log p_ij), p the share of documents that
    contain a word, or both (Bouma 2009); -1 where no document has both. 1: the words
    always come together; 0: independent. A pair that is in every document says
    nothing and counts 0.

    Args:
      words: word numbers [T, W], W >= 2.
      documents: counts [n, V].

    Returns:
      float64 [T], in [-1, 1].

    Raises:
      ValueError: malformed arrays, or a word number outside 0..V-1.
    """
    words, documents = np.asarray(words), np.asarray(documents)
    if documents.ndim != 2 or not documents.size or (documents < 0).any():
        raise ValueError(f"documents must be counts [n, V]; received shape {documents.shape}.")
    if words.ndim != 2 or words.shape[1] < 2 or words.min() < 0 or words.max() >= documents.shape[1]:
        raise ValueError(f"words must be numbers 0..{documents.shape[1] - 1} of shape [T, W >= 2]; "
                         f"received shape {words.shape}.")
    used, position = np.unique(words, return_inverse=True)
    present = (documents[:, used] > 0).astype(np.float64)
    both = present.T @ present / len(documents)
    single = np.diag(both)
    first, second = np.triu_indices(words.shape[1], k=1)
    position = position.reshape(words.shape)
    pairs = position[:, first], position[:, second]
    return _npmi(both[pairs], single[pairs[0]], single[pairs[1]]).mean(axis=1)


def _npmi(both, first, second):
    met = both > 0
    always = both >= 1.0
    safe = np.where(met & ~always, both, 0.5)
    product = np.where(met, first * second, 1.0)
    return np.where(always, 0.0, np.where(met, np.log(safe / product) / -np.log(safe), -1.0))


def topic_correlation(means):
    """Pearson correlation over documents of the topics' means, [T, T]; 0 with a topic that never varies, 1 with itself.

    Args:
      means: [n, T], means of the latents before any softmax.
    """
    means = np.asarray(means, np.float64)
    if means.ndim != 2 or len(means) < 2 or not np.isfinite(means).all():
        raise ValueError(f"means must be finite numbers [n, T] with n >= 2; received shape {means.shape}.")
    centred = means - means.mean(axis=0)
    scale = np.sqrt(np.mean(np.square(centred), axis=0))
    varying = (scale > 0) & row_operations.varying_rows(means.T)
    centred = np.where(varying, centred / np.where(varying, scale, 1.0), 0.0)
    correlation = np.clip(centred.T @ centred / len(means), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def correlation_by_group(correlation, group_sizes):
    """Mean absolute correlation of different topics within groups, and across groups (0 where no such pair exists)."""
    owner = np.repeat(np.arange(len(group_sizes)), group_sizes)
    same = owner[:, None] == owner
    different_topics = ~np.eye(len(owner), dtype=bool)
    within, across = np.abs(correlation[same & different_topics]), np.abs(correlation[~same])
    return float(within.mean()) if within.size else 0.0, float(across.mean()) if across.size else 0.0


@metric("topic_coherence", "topics", "represent", "code_spec", scores={
    "npmi": Meaning("how often the words of a topic come together, mean over topics", "", -1, 1, "higher"),
    "max_npmi": Meaning("the same of the best topic", "", -1, 1, "higher"),
    "npmi_topics": Meaning("the same of each topic", "", -1, 1, "higher"),
    "correlation_within_groups": share("mean absolute correlation of two topics of one group", better=""),
    "correlation_across_groups": share("mean absolute correlation of two topics of different groups", better=""),
    "num_topics": number("topics"),
    "num_documents": number("documents"),
})
def compute_topic_coherence(dataset, model, random_state, artifact_dir=None, num_words=10, batch_size=256):
    """NPMI of a text model's topics on the documents of a data set, and the correlation of its latents.

    Args:
      dataset: documents as counts; the paper takes the training set. `vocabulary`, where it has one, names the words.
      model: a trained model with `topics()` [T, V], `represent` and `code_spec`.
      random_state: np.random.RandomState.
      artifact_dir: where the words of the topics and the correlation [D, D], in the order of the code's groups, are
        left (`topic_coherence.npz`), or None.
      num_words: words of a topic that count.
      batch_size: documents a batch.

    Returns:
      dict: `npmi` (mean over topics), `npmi_topics` (list), `max_npmi`, `correlation_within_groups` and
      `correlation_across_groups` (mean absolute values), `num_topics`, `num_documents`.
    """
    indices = np.arange(dataset.num_observations)
    words = top_words(model.topics(), num_words)
    batches = image_batches.batches(dataset, indices, batch_size, image_batches.draw_seed(random_state))
    documents = np.concatenate([np.reshape(x, (len(x), -1))[:, np.unique(words)] > 0 for x in batches])
    npmi = npmi_coherence(np.searchsorted(np.unique(words), words), documents)
    means = image_codes.split_code(image_codes.of_images(dataset, model, indices, batch_size), model.code_spec)[0]
    correlation = topic_correlation(means)
    sizes = [size for kind, size in model.code_spec if kind == "normal"]
    within, across = correlation_by_group(correlation, sizes)
    names = np.asarray(getattr(dataset, "vocabulary", np.arange(words.max() + 1)))[words]
    artifacts.save_arrays(artifact_dir, "topic_coherence", words=names.astype(str), correlation=correlation)
    return {"npmi": float(npmi.mean()), "max_npmi": float(npmi.max()), "npmi_topics": npmi.tolist(),
            "correlation_within_groups": within, "correlation_across_groups": across, "num_topics": len(words),
            "num_documents": len(indices)}
