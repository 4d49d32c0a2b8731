"""Which files of a folder a command has written: it lists them there, and removes nothing else, ever."""

import contextlib
import pathlib

from dislib_plus import files

# disentanglement_lib writes no list; these folders of its results hold nothing else.
_LAYOUT = ("gin", "json", "aggregate")
# Where the list is, if not among the results.
_LISTS = {"visualize": ".made_by_dislib_visualize"}
SCORES = ("evaluation", "validation")
# Codes of a model that its next evaluations look up; hidden, as a user's own file may be called codes.npz.
KEPT_CODES = ".codes.npz"
# What a desktop puts into folders that it shows.
_OF_THE_SYSTEM = (".DS_Store",)


def write_list(folder, step):
    """Lists all files of the folder of a finished step in a file that is among them.

    Args:
      folder: what the step has written, and nothing else.
      step: "evaluation", "validation", "postprocess" (the list is `results/<step>_files.txt`) or "visualize".
    """
    path = _list(folder, step)
    files.make_folder(path.parent)
    path.touch()
    path.write_text("".join(f"{name}\n" for name in sorted(below(folder))), encoding="utf-8")


def listed(folder, step):
    """The files in a folder that the step wrote, as paths relative to it; what a list says of other places is not."""
    folder, names = pathlib.Path(folder), []
    if _list(folder, step).is_file():
        names = _list(folder, step).read_text(encoding="utf-8", errors="replace").splitlines()
    elif (folder / "results" / "json" / f"{step}_results.json").is_file():
        split = [(name, pathlib.PurePath(name).parts) for name in below(folder)]
        names = [name for name, parts in split if len(parts) == 3 and parts[0] == "results" and parts[1] in _LAYOUT]
    return {name for name in names if _is_inside(folder, name)}


def others(folder, own, parts=None):
    """Files below a folder that are not a command's own, sorted.

    Args:
      folder: where to look.
      own: paths relative to it, see `listed`.
      parts: names in the folder; only what is below them, or is called so, counts. None: everything.
    """
    return sorted(name for name in below(folder) if name not in own
                  and (parts is None or pathlib.PurePath(name).parts[0] in parts))


def told(names):
    """Files in words: the first, and how many more."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def remove(folder, names):
    """Removes files below a folder, and the folders that are empty then."""
    folder = pathlib.Path(folder)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    parents = {parent for name in names for parent in pathlib.PurePath(name).parents if parent.parts}
    for parent in sorted(parents, key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):  # It holds something else, or is gone.
            (folder / parent).rmdir()


def remove_listed(folder, step):
    """Removes the files that the step has written, and the folders that are empty then."""
    remove(folder, listed(folder, step))


def remove_scores(folder):
    """Removes what evaluations and validations have written in a folder and in those in it; then it, if it is empty."""
    folder = pathlib.Path(folder)
    if folder.is_symlink():
        return
    (folder / KEPT_CODES).unlink(missing_ok=True)
    for place in [*(each for each in folder.glob("*/") if not each.is_symlink()), folder]:
        for step in SCORES:
            remove_listed(place, step)
        with contextlib.suppress(OSError):  # It holds something else, or does not exist.
            place.rmdir()


def below(folder):
    """Every file and link below a folder, relative to it; links are not followed."""
    return [path.as_posix() for path in files.below(folder) if path.name not in _OF_THE_SYSTEM]


def _list(folder, step):
    return pathlib.Path(folder) / _LISTS.get(step, f"results/{step}_files.txt")


def _is_inside(folder, name):
    """Whether a name leads to something in the folder itself, by no link."""
    path = folder / name
    return bool(name) and path.parent.resolve().is_relative_to(folder.resolve()) and ".." not in path.parts
