"""Loading .keras files, those with classes of the user's own included."""

import importlib
import pathlib
import zipfile
import zlib

import gin
import keras

from dislib_plus import checks, files, gin_internals, import_path, provenance
from dislib_plus.sentences import quoted

# What these register with gin, Keras finds by itself.
_LIBRARIES = ("dislib_plus", "gin", "keras", "tensorflow")


def load_model(path):
    """Loads a .keras file, without its optimizer; the modules that the run imports (run.json) are imported first.

    Nothing of the run's folder is executed: a module must be installed, imported already, or lie in a folder that the
    user names (`--python_path`, `import_path.python_path(folders, named_by_user=True)`), and Keras's safe mode is on.

    Raises:
      FileNotFoundError: no such file. ConfigurationError: a module cannot be imported. ValueError: the file is damaged,
        or its classes are not known. OSError: it cannot be read.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"The model file {quoted(str(path))} does not exist.")
    importlib.import_module("dislib_plus.methods")
    record = path.parent / "run.json"
    if record.is_file():
        import_path.import_recorded(provenance.read_record(record, "imports")["imports"], record)
    register_gin_names()
    try:
        with files.reading(path, "save the model again"):
            files.check_zip(path)
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except files.DamagedFile as error:
        if error.__cause__ is None or isinstance(error.__cause__, (zipfile.BadZipFile, zlib.error, EOFError)):
            raise
        raise ValueError(f"The model {str(path)!r} cannot be loaded ({error.reason}); if it uses classes of your own, "
                         "import their module in the gin file of the run, or by "
                         "--gin_bindings='import my_module'.") from error


@gin.configurable
def trained_model(path):
    """A trained model as a gin value, `@trained_model("runs/one")`: built, and frozen (`trainable` is False).

    Args:
      path: run directory, or a .keras file.

    Raises:
      ConfigurationError: `path` is not a path. FileNotFoundError: no such file. ValueError: it is damaged, or its
        classes are not known.
    """
    checks.path("trained_model.path", path)
    file = pathlib.Path(path)
    file = file if file.suffix == ".keras" else file / "model.keras"
    if not file.is_file():
        raise FileNotFoundError(f"trained_model: there is no trained model at {file}; pass the folder of a finished "
                                "run.")
    model = load_model(file)
    model.trainable = False
    return model


def register_gin_names():
    """Has Keras find, when it loads a model, the functions and classes of the user's own that gin can name.

    Keras's own decorator, keras.saving.register_keras_serializable, is needed only for what gin does not know.
    """
    known = keras.saving.get_custom_objects()
    for entry in _entries_of_users():
        known.setdefault(entry.wrapped.__name__, entry.wrapper)


def names_of_several():
    """{name: modules} of what gin names in several modules of the user's own, where Keras would look for one thing."""
    modules = {}
    for entry in _entries_of_users():
        modules.setdefault(entry.wrapped.__name__, set()).add(entry.wrapped.__module__)
    return {name: sorted(found) for name, found in modules.items() if len(found) > 1}


def _entries_of_users():
    entries = map(gin_internals.entry, gin_internals.selectors())
    return [entry for entry in entries if entry.wrapped.__module__.partition(".")[0] not in _LIBRARIES]
