"""Result files in disentanglement_lib's layout: results/{gin,json,aggregate}.

Every step of a pipeline ("train", "postprocess", "evaluation") writes
`gin/<step>.gin`, `json/<step>_config.json`, `json/<step>_results.json` and
`aggregate/<step>.json`, beside copies of the files of the steps before it.
"""

import json
import os
import pathlib
import shutil
import uuid

import gin
import numpy as np

from dislib_plus import files, json_files
from dislib_plus.sentences import brief


def update_result_directory(result_directory, step_name, results_dict, old_result_directory=None, gin_text=None):
    """Writes the operative gin configuration and the results of one step.

    Args:
      result_directory: the `results` folder to write to; made if needed.
      step_name: "train", "postprocess", "evaluation", ...
      results_dict: results of the step; a `uuid` is added.
      old_result_directory: `results` folder of the step before, copied first.
      gin_text: the configuration to record; None: gin's operative one.

    Raises:
      ValueError: the two folders are the same.
    """
    result_directory = pathlib.Path(result_directory)
    if old_result_directory is not None:
        if pathlib.Path(old_result_directory).resolve() == result_directory.resolve():
            raise ValueError("result_directory and old_result_directory must differ; "
                             f"received {result_directory} twice.")
        copydir(old_result_directory, result_directory)
    gin_text = gin.operative_config_str() if gin_text is None else gin_text
    with files.atomic_write(result_directory / "gin" / f"{step_name}.gin") as stream:
        stream.write(gin_text)
    save_dict(result_directory / "json" / f"{step_name}_config.json", parse_gin_text(gin_text))
    save_dict(result_directory / "json" / f"{step_name}_results.json", {**results_dict, "uuid": str(uuid.uuid4())})
    save_dict(result_directory / "aggregate" / f"{step_name}.json", aggregate_json_results(result_directory / "json"))


def copydir(from_path, to_path):
    """Copies the content of a folder and all below it; files already there are replaced.

    Modes are not copied: a run that may only be read gives copies that can be written and removed.
    """
    files.make_folder(to_path)
    for entry in os.scandir(from_path):
        target = os.path.join(to_path, entry.name)
        if entry.is_dir():
            copydir(entry.path, target)
        else:
            shutil.copyfile(entry.path, target)


def save_dict(config_path, dict_with_info):
    """Writes a dictionary as JSON, keys in the order given, two spaces of indent."""
    with files.atomic_write(config_path) as stream:
        json.dump(dict_with_info, stream, cls=Encoder, indent=2)


def load_dict(path):
    """Reads a JSON dictionary; see `json_files.read`. A setting ("..._config.NAME") in it is one text or number.

    Raises:
      ValueError: the file holds no such dictionary.
    """
    remedy = "write it again or leave it out"
    content = json_files.read(path, remedy)
    is_config = pathlib.Path(path).stem.endswith("_config")
    for key, value in content.items():
        if (is_config or "_config." in key) and isinstance(value, (list, dict)):
            raise files.DamagedFile(path, f"{brief(key)} must be one text and is a {type(value).__name__}", remedy)
    return content


def gin_dict(config_path=None):
    """The bindings of a gin text as a flat dictionary of raw strings.

    Args:
      config_path: a gin file; None: the operative configuration.

    Returns:
      {"vae.beta": "4.0", "dataset.name": "'cars3d'", ...}; a value on several lines becomes one line.

    Raises:
      files.DamagedFile: the file is not text. OSError: it cannot be read.
    """
    if config_path is None:
        return parse_gin_text(gin.operative_config_str())
    with files.reading(config_path):
        return parse_gin_text(pathlib.Path(config_path).read_text(encoding="utf-8"))


def parse_gin_text(text):
    """The bindings of gin's own output as {key: raw value}; see `gin_dict`."""
    bindings, key = {}, None
    for line in text.splitlines():
        if key is not None and line[:1].isspace() and line.strip():
            bindings[key] = f"{bindings[key]} {line.strip()}".strip()
            continue
        key = None
        if line.startswith("#") or " = " not in line:
            continue
        key, value = line.split(" = ", 1)
        bindings[key] = value.rstrip("\\").strip()
    return bindings


def namespaced_dict(base_dict=None, **named_dicts):
    """`base_dict` plus each named dictionary under `"<name>.<key>"`."""
    result = dict(base_dict or {})
    for name, content in named_dicts.items():
        result.update({f"{name}.{key}": value for key, value in content.items()})
    return result


def aggregate_json_results(base_path):
    """All `*.json` of a folder as one flat dictionary, keys `"<file stem>.<key>"`, files in sorted order."""
    paths = sorted(path for path in files.below(base_path)
                   if len(path.parts) == 1 and path.suffix == ".json" and not path.name.startswith("."))
    return namespaced_dict(**{path.stem: load_dict(pathlib.Path(base_path, path)) for path in paths})


class Encoder(json.JSONEncoder):
    """JSON encoder that also takes NumPy scalars and arrays."""

    def default(self, o):
        if isinstance(o, np.generic):
            return o.item()
        if isinstance(o, np.ndarray):
            return o.tolist()
        if isinstance(o, os.PathLike):
            return os.fspath(o)
        return super().default(o)
