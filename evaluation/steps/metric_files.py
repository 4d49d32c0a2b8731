"""The metrics that are shipped: one gin file each, for each size. Importing this module needs no TensorFlow."""

import functools
import importlib
import pkgutil
import re

import gin

from dislib_plus import files
from dislib_plus.configuration import ConfigurationError
from dislib_plus.sentences import nearest, quoted

PRESETS = ("full", "fast")
_OTHER_NAMES = re.compile(r"^# Also called: (.+)\.$", re.MULTILINE)


def import_metrics():
    """Imports every metric module, so that gin knows their names, also while a configuration is read already."""
    with gin.unlock_config():
        package = importlib.import_module("..metrics", __package__)
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)


def metric_names(preset="full"):
    """Names of the metrics that have a shipped gin file of that preset, sorted."""
    return sorted(path.stem for path in _folder(preset).glob("*.gin") if path.stem != "all")


def names_on_request():
    """Names of the metrics that need more settings than a run records; "all" leaves them out."""
    return sorted(path.stem for path in _folder("on_request").glob("*.gin"))


@functools.cache
def other_names():
    """{other name: name} of the shipped metrics that have further names in the literature, as their gin files say."""
    found = {}
    for name in metric_names():
        for line in _OTHER_NAMES.findall((_folder("full") / f"{name}.gin").read_text(encoding="utf-8")):
            found.update(dict.fromkeys(line.split(", "), name))
    return found


def own_names(names):
    """The names with those that the literature has beside ours replaced by ours."""
    return [other_names().get(name, name) for name in names]


def check_preset(preset):
    """Raises ConfigurationError unless it is one of PRESETS."""
    if preset not in PRESETS:
        raise ConfigurationError(f"--preset must be one of {', '.join(PRESETS)}; received {quoted(preset)}.")


def check_names(names, preset="full"):
    """Raises ConfigurationError unless the names are a list of metrics, or of "all" alone."""
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError("metrics.names must be a list of names of metrics, such as ['mig', 'dci'], or "
                                 f"['all']; received {quoted(names)}.")
    for name in names if list(names) != ["all"] else ():
        preset_file(name, preset)


def preset_file(name, preset="full"):
    """The shipped gin file of a metric; those on request have one for all presets.

    Raises:
      ConfigurationError: no metric has that name; the nearest are listed.
    """
    check_preset(preset)
    [name] = own_names([name])
    known, on_request = metric_names(preset), names_on_request()
    if name in known:
        return str(_folder(preset) / f"{name}.gin")
    if name in on_request:
        return str(_folder("on_request") / f"{name}.gin")
    near = nearest(name, known + on_request + list(other_names()), 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the metrics are {', '.join(known)}."
    raise ConfigurationError(f"{quoted(name)} is not the name of a metric (preset {preset}); {hint}")


def _folder(preset):
    folder = files.config_root() / "metrics"
    return folder if preset == "full" else folder / preset
