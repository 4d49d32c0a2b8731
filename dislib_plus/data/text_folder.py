"""`text_folder`: documents of the user's own, in a folder of .txt files or in a table."""

import json
import pathlib
import warnings

import gin
import numpy as np

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.data.word_counts import WordCounts, word_counter, words_of_file
from dislib_plus.files import reading
from dislib_plus.sentences import brief, quoted

_REMEDY = "save it as text in UTF-8, or set text_folder.encoding"


def _folder(path, encoding):
    """(texts, classes or None) of the .txt files below a folder; a class is the first sub-folder."""
    files = sorted(file for file in path.rglob("*.txt") if file.is_file())
    if not files:
        raise ValueError(f"text_folder.path {path} has no files that end in .txt.")
    texts = []
    for file in files:
        with reading(file, _REMEDY):
            texts.append(file.read_text(encoding=encoding))
    parents = [file.relative_to(path).parts[:-1] for file in files]
    return texts, [parts[0] for parts in parents] if all(parents) else None


def _csv(path, encoding):
    import pandas as pd  # here, because it takes long and only tables need it
    with reading(path, _REMEDY):
        return pd.read_csv(path, encoding=encoding, dtype=str, keep_default_na=False).to_dict("records")


def _jsonl(path, encoding):
    with reading(path, _REMEDY):
        lines = path.read_text(encoding=encoding).splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line) if line.strip() else None
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} must have a JSON object in each line; line {number} cannot be read: {error}."
                             ) from error
        if row is not None and not isinstance(row, dict):
            raise ValueError(f"{path} must have a JSON object in each line; line {number} is {quoted(row)}.")
        rows += [] if row is None else [row]
    return rows


_TABLES = {".csv": _csv, ".jsonl": _jsonl}


def _table(path, encoding):
    """(texts, classes or None) of the columns `text` and `label`."""
    rows = _TABLES[path.suffix](path, encoding)
    wrong = [number for number, row in enumerate(rows, 1) if not isinstance(row.get("text"), str)]
    if wrong or not rows:
        what = f"row {wrong[0]} has none" if wrong else "there are no rows"
        raise ValueError(f"{path} must have a text in the column 'text' of each row; {what}.")
    labelled = ["label" in row for row in rows]
    if any(labelled) and not all(labelled):
        raise ValueError(f"{path} must have the column 'label' in each row or in none of them; row "
                         f"{labelled.index(False) + 1} lacks it.")
    return [row["text"] for row in rows], [str(row["label"]) for row in rows] if all(labelled) else None


def _documents(path, encoding):
    if path.is_dir():
        return _folder(path, encoding)
    if not path.is_file():
        raise FileNotFoundError(f"text_folder.path must be a folder, or a .csv or .jsonl file; {path} is not there.")
    if path.suffix not in _TABLES:
        raise ConfigurationError("text_folder.path must be a folder, or end in .csv or .jsonl; received "
                                 f"{brief(str(path))}.")
    return _table(path, encoding)


def _counted(texts, counter, path):
    """Counts of the texts' words; raises ValueError where no text has a word that counts."""
    try:
        return counter.transform(texts) if counter.vocabulary is not None else counter.fit_transform(texts)
    except ValueError as error:
        raise ValueError(f"The documents of {path} have no words besides stop words (words are letters a to z, two or "
                         "more): put documents there, or change text_folder.stop_words.") from error


@register("text_folder", rest="path", source=Source(note="your own"))
@gin.configurable("text_folder", denylist=["data_dir"])
def text_folder(data_dir=".", path=gin.REQUIRED, num_words=2000, stop_words=None, vocabulary=None, encoding="utf-8"):
    """Documents as word counts.

    Args:
      data_dir: what a relative path starts from.
      path: a folder of .txt files, whose first sub-folders are the classes where every file lies in one; or a .csv or
        .jsonl file with a column `text` and, where there are classes, `label`. `dataset.name = "text_folder:PATH"` says
        the same.
      num_words: size of the vocabulary, the most frequent words; a smaller one is found where there are fewer words.
      stop_words: words that are left out: None (scikit-learn's English list), or a file with one word a line.
      vocabulary: None, or a file with one word a line instead.
      encoding: of the files, "utf-8", "latin-1", ...

    Returns:
      WordCounts, without the documents that have no word of the vocabulary; `labels` are the classes in sorted order,
      None without classes.

    Raises:
      FileNotFoundError: no such folder or file.
      ValueError: no documents, none with a known word, another encoding, or a damaged table.
      ConfigurationError: a wrong argument.
    """
    checks.path("text_folder.path", path)
    checks.count("text_folder.num_words", num_words, 2)
    _check_encoding(encoding)
    path = pathlib.Path(data_dir) / pathlib.Path(path).expanduser()
    texts, classes = _documents(path, encoding)
    words = None
    if vocabulary is not None:
        words = list(dict.fromkeys(words_of_file("text_folder.vocabulary", vocabulary)))
    counter = word_counter("text_folder", num_words, stop_words, words)
    counts = _counted(texts, counter, path)
    filled = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel())
    found = [str(word) for word in counter.get_feature_names_out()]
    _tell(path, len(texts), len(filled), num_words if words is None else len(words), len(found), classes)
    names, labels = (), None
    if classes is not None:
        names, labels = np.unique(np.asarray(classes)[filled], return_inverse=True)
    return WordCounts("text_folder", counts[filled], found, labels, map(str, names))


def _check_encoding(encoding):
    checks.text("text_folder.encoding", encoding)
    try:
        "".encode(encoding)
    except LookupError as error:
        raise ConfigurationError(f"text_folder.encoding must be a text encoding, such as 'utf-8'; received "
                                 f"{quoted(encoding)}.") from error


def _tell(path, num_texts, num_filled, asked, found, classes):
    """Says what is not as one would think; raises ValueError where nothing is left."""
    if not num_filled:
        raise ValueError(f"None of the {num_texts} documents of {path} has a word of the vocabulary.")
    if num_filled < num_texts:
        _note(f"{num_texts - num_filled} of the {num_texts} documents of {path} have no word of the vocabulary and are "
              "left out.")
    if found < asked:
        _note(f"The documents of {path} have {found} words besides stop words, fewer than the text_folder.num_words = "
              f"{asked} that were asked for.")
    if classes is not None and len(set(classes)) == 1:
        _note(f"All documents of {path} are of the class {quoted(classes[0])}, so that nothing can be learned or "
              "measured with labels.")


def _note(sentence):
    warnings.warn(sentence, Notice, stacklevel=4)
