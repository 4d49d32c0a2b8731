"""A process that runs commands of the library while calls of the file system fail; one JSON line for each job."""

import contextlib
import ctypes
import importlib
import io
import json
import sys
import traceback


def run(command, arguments, prefix, at=0, code=0, lasting=False):
    """Runs a command.

    Args:
      command: module of dislib_plus.cli.
      arguments: of its `main`.
      prefix: start of the paths on which calls are counted.
      at: number of the call that fails; 0: none does.
      code: errno; lasting: whether all calls after it fail too.

    Returns:
      dict: exit `code`, `said` (stderr), `calls` (list of "kind path"), `trace` of an error that the command let
      through.
    """
    faults = ctypes.CDLL(None)
    faults.faults_end.restype = ctypes.c_char_p
    main = importlib.import_module(f"dislib_plus.cli.{command}").main
    said, trace, exit_code = io.StringIO(), "", None
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        faults.faults_begin(prefix.encode(), ctypes.c_long(at), code, int(lasting))
        try:
            exit_code = main(arguments)
        except Exception:  # pylint: disable=broad-except  # the test reports it
            trace = traceback.format_exc()
        finally:
            calls = faults.faults_end().decode().splitlines()
    return {"code": exit_code, "said": said.getvalue(), "calls": calls, "trace": trace}


if __name__ == "__main__":
    answers = sys.stdout
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), file=answers, flush=True)
