"""Loading .keras files, those with classes of the user's own included."""

import importlib
import pathlib
import zipfile
import zlib

import gin
import keras

from dislib_plus import provenance
from dislib_plus.configuration import python_path


def load_model(path):
    """Loads a .keras file, without its optimizer; the run's own modules (run.json beside it) are imported first.

    Raises:
      FileNotFoundError: no such file. ValueError: it is damaged, or its classes are not known.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {str(path)!r}.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{str(path)!r} is not a .keras file, or it was cut short; save the model again.")
    importlib.import_module("dislib_plus.methods")
    record = path.parent / "run.json"
    if record.is_file():
        recorded = provenance.read_record(record, "imports", "python_path")
        import_modules(recorded["imports"], recorded["python_path"])
    try:
        return keras.models.load_model(path, compile=False)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"The model {str(path)!r} is damaged ({error}); save the model again.") from error
    except (ValueError, TypeError, OSError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"The model {str(path)!r} cannot be loaded ({reason}); if it uses classes of your own, import "
                         "their module in the gin file of the run, or by --gin_bindings='import my_module'."
                         ) from error


def import_modules(modules, folders):
    """Imports modules, looking also in the folders they were found in when the run was made.

    Raises:
      ValueError: a module cannot be imported.
    """
    # The modules may register names with gin although the configuration of this call is read already.
    with python_path([str(folder) for folder in folders]), gin.unlock_config():
        for module in modules:
            try:
                importlib.import_module(module)
            except ImportError as error:
                raise ValueError(f"The run imports {module!r}, which cannot be imported ({error}); run the command "
                                 "in the folder that holds it, or install it.") from error
