"""Seconds until `import dislib_plus` and the commands' --help are done, and whether they leave TensorFlow alone.

    python benchmarks/start_up.py [--rounds=5]

Each figure is the median over fresh processes, the interpreter's own start included.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import time

BIN = pathlib.Path(__file__).resolve().parents[1] / "bin"
LIMIT = 1.0
HEAVY = ("tensorflow", "keras", "tensorflow_probability", "sklearn", "matplotlib", "pandas")
# Runs a command's --help as the shell would, then names the heavy modules that it has imported.
HELP = """
import contextlib, io, runpy, sys
sys.argv = [{path!r}, "--help"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    runpy.run_path({path!r}, run_name="__main__")
"""
REPORT = "\nimport sys; print(*[name for name in {heavy!r} if name in sys.modules])"


def imported(program):
    """Names of the heavy modules that a program imports."""
    done = subprocess.run([sys.executable, "-c", program + REPORT.format(heavy=HEAVY)], capture_output=True, text=True,
                          check=True)
    return done.stdout.split()


def seconds(arguments):
    """How long a fresh interpreter takes for the given arguments."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return time.perf_counter() - started


def main():
    """Prints one row per program; exit code 1 where one is too slow or imports TensorFlow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    programs = {"(interpreter)": ("pass", ["-c", "pass"]), "import dislib_plus": ("import dislib_plus",
                                                                                  ["-c", "import dislib_plus"])}
    for command in sorted(BIN.glob("dislib_*")):
        programs[f"{command.name} --help"] = HELP.format(path=str(command)), [str(command), "--help"]
    failed = False
    print(f"{'program':32s} {'seconds':>8s}  heavy modules (limit {LIMIT:g} s, none)")
    for name, (program, arguments) in programs.items():
        took = statistics.median(seconds(arguments) for _ in range(options.rounds))
        modules = imported(program)
        failed |= took > LIMIT or bool(modules)
        print(f"{name:32s} {took:8.3f}  {', '.join(modules) or 'none'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
