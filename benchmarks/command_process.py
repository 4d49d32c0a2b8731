"""Commands of the library in a process that stays: TensorFlow is imported once for many of them."""

import os
import runpy
import sys


def share_cores(threads):
    """To be called before TensorFlow is imported; threads: for one operation."""
    os.environ.update(TF_NUM_INTRAOP_THREADS=str(threads), OMP_NUM_THREADS=str(threads))


def call(script, arguments, log):
    """Runs a command's script in this process, with its output at the end of the file `log`; returns its exit code."""
    with open(log, "a", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.argv = [str(script), *arguments]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr, flush=True)
            return 1
        return end.code or 0
    return 0
