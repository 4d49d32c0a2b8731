"""Fixture: disentanglement_lib 1.5 as published, to compare with."""

import importlib
import importlib.util
import json
import subprocess
import sys
import types

import numpy as np
import PIL.Image
import pytest

PACKAGE = "disentanglement_lib"


class Patched:
    """A module with some attributes replaced, for one importer only."""

    def __init__(self, module, **replacements):
        self.__dict__.update(replacements, _module=module)

    def __getattr__(self, name):
        return getattr(self._module, name)


def _two_tuple_thumbnail(image):
    """Newer Pillow refuses the 3-tuples that disentanglement_lib passes as sizes."""
    image.thumbnail = lambda size, resample=PIL.Image.Resampling.BICUBIC: type(image).thumbnail(
        image, size[:2], resample)
    return image


def _frombuffer(buffer, dtype, count=-1, offset=0):
    """int() of an array with one element is a TypeError today, so single values come as scalars."""
    values = np.frombuffer(buffer, dtype, count, offset)
    return values.item() if count == 1 else values


_NUMPY = Patched(np, float_=np.float64, frombuffer=_frombuffer)
_PILLOW = Patched(PIL, Image=Patched(
    PIL.Image, ANTIALIAS=PIL.Image.Resampling.LANCZOS,
    open=lambda *args: _two_tuple_thumbnail(PIL.Image.open(*args)),
    fromarray=lambda *args: _two_tuple_thumbnail(PIL.Image.fromarray(*args))))


def _is_private(name):
    return name in ("gin", "simplejson", "seaborn") or name.startswith("gin.")


class Dlib:
    """disentanglement_lib's modules, running on a private copy of gin so that names never clash with ours.

    `gin` is that copy (`dlib.gin.bind_parameter("prune_dims.threshold", 0.05)`, `dlib.gin.clear_config()`);
    `load("evaluation.metrics.mig")` imports a module; `data_set(cls, **attributes)` makes an object without its
    constructor.
    """

    def __init__(self):
        self._modules = {}
        self.gin = self._swapped(self._make_gin)

    def _swapped(self, action):
        ours = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_private(name)}
        sys.modules.update(self._modules)
        try:
            return action()
        finally:
            self._modules = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_private(name)}
            sys.modules.update(ours)

    @staticmethod
    def _make_gin():
        gin = importlib.import_module("gin")
        register = gin.configurable

        def configurable(name_or_fn=None, module=None, whitelist=None, blacklist=None):
            return register(name_or_fn, module=module, allowlist=whitelist, denylist=blacklist)

        gin.configurable = configurable
        gin.tf = types.ModuleType("gin.tf")
        gin.tf.external_configurables = types.ModuleType("gin.tf.external_configurables")
        sys.modules.update({"gin.tf": gin.tf, "gin.tf.external_configurables": gin.tf.external_configurables,
                            "simplejson": json, "seaborn": types.ModuleType("seaborn")})
        return gin

    def load(self, name):
        """The module disentanglement_lib.<name>."""
        module = self._swapped(lambda: importlib.import_module(f"{PACKAGE}.{name}"))
        for attribute, patched in (("np", _NUMPY), ("PIL", _PILLOW)):
            if hasattr(module, attribute):
                setattr(module, attribute, patched)
        return module

    @staticmethod
    def data_set(cls, **attributes):
        """An object of a data set class with the given attributes, made without reading files."""
        made = cls.__new__(cls)
        made.__dict__.update(attributes)
        return made


@pytest.fixture(scope="session")
def dlib(tmp_path_factory):
    """disentanglement_lib 1.5 (see Dlib), installed into a temporary folder; skips where that is impossible."""
    if importlib.util.find_spec(PACKAGE) is None:
        folder = str(tmp_path_factory.mktemp("dlib"))
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--retries", "1",
                               "--timeout", "10", "--target", folder, "disentanglement-lib==1.5"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"disentanglement-lib==1.5 cannot be installed here: {done.stderr.strip()[-300:]}")
        sys.path.append(folder)
        importlib.invalidate_caches()
    return Dlib()
