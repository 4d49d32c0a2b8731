"""dislib_train: trains a model from gin files."""

import os

from dislib_plus.cli import command, gin_setup

_SUMMARY = """trains a model from gin files.

  dislib_train --gin_config=quickstart.gin --model_dir=runs/quick

The same command goes on with an interrupted run and says so when the run is finished. Ctrl-C and SIGTERM
end it after a whole step, with a checkpoint."""


def _define(flags):
    flags.string("model_dir", None, "Folder of the run.", required=True)
    gin_setup.define_flags(flags)
    flags.boolean("overwrite", False, "Replace a run that is in the folder.")
    flags.boolean("extend", False, "Go on with a run that was started with fewer model.training_steps.")
    flags.boolean("strict", False, "Make a binding that the run does not use an error instead of a warning.")
    flags.string("gin_model_dir", None, "Folder of one more gin file, see --gin_file_name.")
    flags.string("gin_file_name", None, "Name of one more gin file in --gin_model_dir, read first.")


def _act(flags):
    _add_file_of_model_dir(flags)
    if not flags.gin_config and not flags.gin_bindings:
        raise command.UsageError("give at least one --gin_config (or --gin_bindings) that says what to train.")
    with gin_setup.configured(flags) as sources:
        from dislib_plus.cli import tables
        from dislib_plus.training import train
        results = train.train_configured(flags.model_dir, flags.overwrite, flags.strict, sources,
                                         extend=flags.extend)
        tables.show(f"Training in {flags.model_dir}", _summary(results))


def _add_file_of_model_dir(flags):
    if (flags.gin_model_dir is None) != (flags.gin_file_name is None):
        raise command.UsageError("--gin_model_dir and --gin_file_name go together; give both or neither.")
    if flags.gin_model_dir is not None:
        flags.gin_config = [os.path.join(flags.gin_model_dir, flags.gin_file_name)] + flags.gin_config


def _summary(results):
    """Rows of the table at the end: the scores, then what the run was made with."""
    shown = {key: value for key, value in results.items() if not key.startswith("environment.") and key != "uuid"}
    for key in ("tensorflow", "device", "onednn"):
        shown[key] = results.get(f"environment.{key}")
    return shown


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_train", _SUMMARY, _define, _act, argv)
