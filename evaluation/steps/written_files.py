"""Which files of a folder a step has written: they are listed beside the results, and nothing else is ever removed."""

import contextlib
import os
import pathlib

# disentanglement_lib writes no list; these folders of its results hold nothing else.
_LAYOUT = ("gin", "json", "aggregate")


def write_list(folder, step):
    """Lists all files of the folder of a finished step in `results/<step>_files.txt`, which is among them."""
    path = _list(folder, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.write_text("".join(f"{name}\n" for name in sorted(_files(folder))), encoding="utf-8")


def listed(folder, step):
    """The files in a folder that the step wrote, as paths relative to it; what a list says of other places is not."""
    folder, names = pathlib.Path(folder), []
    if _list(folder, step).is_file():
        names = _list(folder, step).read_text(encoding="utf-8", errors="replace").splitlines()
    elif (folder / "results" / "json" / f"{step}_results.json").is_file():
        split = [(name, pathlib.PurePath(name).parts) for name in _files(folder)]
        names = [name for name, parts in split if len(parts) == 3 and parts[0] == "results" and parts[1] in _LAYOUT]
    return {name for name in names if _is_inside(folder, name)}


def others(folder, step, parts):
    """Files below `folder/<part>`, for each of the parts, that the step did not write, sorted; a part may be a file."""
    own = listed(folder, step)
    return sorted(name for name in _files(folder) if pathlib.PurePath(name).parts[0] in parts and name not in own)


def remove_listed(folder, step):
    """Removes the files that the step has written, and the folders that are empty then."""
    folder = pathlib.Path(folder)
    own = listed(folder, step)
    for name in own:
        (folder / name).unlink(missing_ok=True)
    parents = {parent for name in own for parent in pathlib.PurePath(name).parents if parent.parts}
    for parent in sorted(parents, key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):  # It holds something else, or is gone.
            (folder / parent).rmdir()


def _list(folder, step):
    return pathlib.Path(folder) / "results" / f"{step}_files.txt"


def _files(folder):
    """Every file and link below a folder, relative to it; links are not followed."""
    found = []
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names + links]
    return [pathlib.PurePath(name).as_posix() for name in found]


def _is_inside(folder, name):
    """Whether a name leads to something in the folder itself, by no link."""
    path = folder / name
    return bool(name) and path.parent.resolve().is_relative_to(folder.resolve()) and ".." not in path.parts
