"""dislib_postprocess: the representation of a trained model, as a folder that can be evaluated."""

from dislib_plus.cli import command, gin_setup

_SUMMARY = """makes the representation of a trained model: the mean of its posterior, or samples of it.

  dislib_postprocess --model_dir=runs/quick --output_dir=runs/quick_mean --gin_config=postprocess/mean.gin
  dislib_evaluate    --input_dir=runs/quick_mean --metrics=mig

The representation is a TF-Hub module of its own, which disentanglement_lib reads too; the folder can be moved."""


def _define(flags):
    flags.string("model_dir", None, "Folder of a finished run, of this library or of disentanglement_lib.",
                 required=True)
    flags.string("output_dir", None, "Folder of the representation.", required=True)
    gin_setup.define_flags(flags)
    flags.boolean("overwrite", False, "Replace a representation that is in the folder.")


def _act(flags):
    gin_setup.check_runs(flags.model_dir)
    with gin_setup.configured(flags, "dislib_plus.evaluation.steps.postprocess"):
        import gin

        from dislib_plus.cli import tables
        from dislib_plus.evaluation.steps import postprocess
        scores = postprocess.postprocess(flags.model_dir, flags.output_dir, flags.overwrite)
        made_by = gin.query_parameter("postprocess.postprocess_fn")
        tables.show(f"Representation in {flags.output_dir}", {
            "made by": str(made_by), "random seed": gin.query_parameter("postprocess.random_seed"), **scores})


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_postprocess", _SUMMARY, _define, _act, argv)
