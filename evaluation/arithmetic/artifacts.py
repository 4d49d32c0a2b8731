"""Arrays that a metric leaves beside its scores, for plots and for a closer look."""

import os

import numpy as np

from dislib_plus import files


def save_arrays(artifact_dir, name, **arrays):
    """Writes named arrays to `<artifact_dir>/<name>.npz`, at once or not at all; nothing when artifact_dir is None.

    Args:
      artifact_dir: folder, made if needed, or None.
      name: file name without its ending.
      **arrays: what the file holds.

    Returns:
      The path, or None.
    """
    if artifact_dir is None:
        return None
    path = os.path.join(os.fspath(artifact_dir), files.file_name(f"{name}.npz"))
    with files.atomic_write(path, "wb") as stream:
        np.savez(stream, **arrays)
    return path
