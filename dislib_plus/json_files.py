"""JSON files of run folders: one reader, which checks their size, their depth, their numbers and their types."""

import json
import os
import pathlib

from dislib_plus import files

LARGEST, DEEPEST = 2 ** 28, 50
_TOO_DEEP = f"its lists and objects are nested more than {DEEPEST} deep"


def read(path, remedy="put back a copy of it"):
    """The JSON object in a file; `NaN` and `Infinity` are accepted, as dlib's files hold them.

    Args:
      path: the file.
      remedy: what to do where it is damaged, the end of the sentence.

    Returns:
      The dictionary: at most 50 levels deep, every integer small enough to be a float.

    Raises:
      files.DamagedFile: it is too large, is not JSON, or holds something else than an object. OSError: it cannot be
        read.
    """
    with files.reading(path, remedy):
        if os.path.getsize(path) > LARGEST:
            raise ValueError(f"it has {os.path.getsize(path)} bytes, more than the {LARGEST} that are read")
        content = parse(pathlib.Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it must hold a JSON object and holds a {type(content).__name__}")
    return content


def parse(text):
    """What a JSON text holds.

    Raises:
      ValueError: it is not JSON, is deeper than 50 levels, or an integer in it is larger than any float.
    """
    try:
        content = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not valid JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(content)
    return content


def _integer(text):
    if len(text) > 309 or abs(int(text)) >= 2 ** 1023:
        raise ValueError(f"an integer of {len(text)} digits is larger than any float")
    return int(text)


def _check_depth(content):
    level = [[content]]
    for _ in range(DEEPEST + 1):
        items = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
        level = [item for item in items if isinstance(item, (dict, list))]
        if not level:
            return
    raise ValueError(_TOO_DEEP)
