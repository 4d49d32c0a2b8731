"""What every command shares: help, errors as one sentence, exit codes 0, 1 and 2."""

import contextlib
import logging
import os
import re
import signal
import sys
import threading
import traceback
import warnings

from dislib_plus import configuration, files, signals
from dislib_plus.cli.flags import Flags, UsageError
from dislib_plus.sentences import LONGEST, brief

__all__ = ["GIN_CALL", "UsageError", "run", "sentence"]

SUCCESS, FAILURE, USAGE, NOT_READ = 0, 1, 2, 141
# How gin begins the line that it adds to the message of an error in a function that it has called.
GIN_CALL = "  In call to configurable"
# TensorFlow's dump of source lines before and after the error itself; bold type and arguments that Keras adds.
_USER_CODE = re.compile(r"in user code:.*?\s(?<!except\s)\w*(?:Error|Exception): ", re.DOTALL)
_GRAPH = re.compile(r"Graph execution error:\s*|Detected at node \S+ defined at \(most recent call last\):\s*"
                    r"(?:(?:File [^\n]*|<stack traces unavailable>)\s*)*|\{\{function_node [^}]*\}\}"
                    r"|\s*(?:\[\[\{\{node|\[Op:|Stack trace for op definition)[^\n]*")
_KERAS_CALL = re.compile(r"\x1b\[[0-9;]*m|\n\s*Arguments received by [^\n]*(?:\n\s*•[^\n]*)*")
# What a message repeats of the user's input: a quoted text, a list or a dictionary of more than 200 letters.
_REPEATED = re.compile(r"(?<!\w)(['\"])(?:(?!\1).){201,}\1(?!\w)|\[[^\]]{201,}\]|\{[^}]{201,}\}")
_LONGEST = 3000


def run(name, summary, define, act, argv=None, operands=False):
    """Runs a command: reads its flags, acts, and turns every expected error into one sentence.

    Args:
      name: the command's name, such as "dislib_train".
      summary: what it does, one or two sentences, shown by --help.
      define: function (Flags) that adds the command's flags.
      act: function (Flags) that does the work; heavy imports belong inside it.
      argv: arguments without the program name; None: those of the process.
      operands: whether the command takes arguments that are not flags; `act` finds them in `flags.operands`.

    Returns:
      0: done. 1: the work failed: files are missing, damaged or in the way, a loss is not finite, a metric cannot be
      computed. 2: the command line or the configuration is wrong in itself, whatever the files, and nothing was
      started: an unknown name or parameter, a value outside its range, parts that do not fit together. 141: nobody
      reads what it prints (128 + SIGPIPE). 143: SIGTERM.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see bin/
    flags = Flags(name, summary)
    define(flags)
    flags.boolean("traceback", False, "Show the Python traceback of an error too.")
    try:
        with signals.sigterm_raised():
            code = _guarded(name, act, flags, list(sys.argv[1:] if argv is None else argv), operands)
            sys.stdout.flush()
    except KeyboardInterrupt as error:
        terminated = isinstance(error, signals.Terminated)
        stopped = f"stopped {'by SIGTERM' if terminated else 'from the keyboard'}"
        return _fail(name, str(error) or f"{stopped}; the same command goes on from the last checkpoint, if any.",
                     signals.TERMINATED if terminated else FAILURE)
    except BrokenPipeError:  # as in `dislib_train --help | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_READ
    return code


def _guarded(name, act, flags, arguments, operands):
    if any(argument in ("--help", "-h", "-help") for argument in arguments):
        print(flags.format_help())
        return SUCCESS
    try:
        _check_utf8(arguments)
        values = flags.read(arguments, operands)
    except UsageError as error:
        return _fail(name, f"{error} Try {name} --help.", USAGE)
    try:
        with _messages(name):
            act(values)
    except BrokenPipeError:
        raise
    except (UsageError, configuration.ConfigurationError) as error:
        return _fail(name, sentence(error), USAGE, values.traceback)
    except (ValueError, OSError) as error:
        wrong = isinstance(error, ValueError) and configuration.raised_in_reference(error)
        return _fail(name, sentence(error), USAGE if wrong else FAILURE, values.traceback)
    except Exception as error:  # pylint: disable=broad-except  # The command's end: a sentence for what gin has bound.
        return _unforeseen(name, error, values)
    return SUCCESS


def _check_utf8(arguments):
    """Raises UsageError where one cannot be written as UTF-8, which TensorFlow needs of every name."""
    for before, argument in zip(["", *arguments], arguments):
        if not _is_utf8(argument):
            flag, equals, value = argument.partition("=")
            if not (equals and flag.startswith("-")):  # --flag value
                flag, value = before if before.startswith("-") and "=" not in before else "the argument", argument
            received = brief(value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
            encoding = sys.getfilesystemencoding()
            remedy = "use another name" if encoding == "utf-8" else (
                f"Python reads names as {encoding} here: set the variable PYTHONUTF8=1, or use another name")
            raise UsageError(f"{flag} must be UTF-8 text; received '{received}'; {remedy}.")


def _is_utf8(text):
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _unforeseen(name, error, values):
    """Says an error that no check foresaw in one sentence if it is TensorFlow's or of what gin has bound."""
    endless = configuration.endless_reference(error)
    if endless:
        return _fail(name, f"gin: {endless} needs {endless} itself to be made; bind something else in it.", USAGE,
                     values.traceback)
    if "Required bindings" in str(error):
        return _fail(name, f"gin: {sentence(error)}", USAGE, values.traceback)
    if isinstance(error, MemoryError):
        message = f"there is not enough memory ({sentence(error)}); choose smaller sizes, or a machine with more."
        return _fail(name, message, FAILURE, values.traceback)
    wrong = configuration.raised_in_reference(error)
    of_tensorflow = type(error).__module__.startswith("tensorflow.")
    if GIN_CALL not in str(error) and not wrong and not of_tensorflow:
        raise error
    message = f"{type(error).__name__}: {sentence(error)} (--traceback shows where.)"
    return _fail(name, message, USAGE if wrong else FAILURE, values.traceback)


@contextlib.contextmanager
def _messages(name):
    """The library's log lines and warnings as lines of the command; each warning of other code once."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{name}: %(message)s"))
    logger = logging.getLogger("dislib_plus")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # absl's root handler would show each line again
    show, shown = warnings.showwarning, set()

    def showwarning(message, category, filename, lineno, file=None, line=None):
        if category is configuration.Notice:
            print(f"{name}: warning: {message}", file=sys.stderr)
        elif (category, str(message)) not in shown:
            shown.add((category, str(message)))
            show(message, category, filename, lineno, file, line)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = showwarning
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def sentence(error):
    """The message of an error in one line, without gin's trail of calls and TensorFlow's of source lines."""
    error = _without_trail(error)
    text = files.sentence(error) if isinstance(error, OSError) else str(error)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(GIN_CALL.lstrip())]
    text = _KERAS_CALL.sub("", _USER_CODE.sub("", "\n".join(lines)))
    text = _REPEATED.sub(lambda found: brief(found.group()), _GRAPH.sub("", text))
    words = [word if len(word) <= LONGEST + 20 else brief(word) for word in text.split()]  # cut once, with its comma
    return brief(" ".join(words), _LONGEST) or type(error).__name__


def _without_trail(error):
    """The error to which gin has added the calls that led there, in a class of its own with the same name."""
    first = error.__context__
    while first is not None and type(error).__base__ is type(first) and type(error).__name__ == type(first).__name__:
        error, first = first, first.__context__
    return error


def _fail(name, message, code, show_traceback=False):
    if show_traceback or os.environ.get("DISLIB_TRACEBACK"):
        traceback.print_exc()
    print(f"{name}: {message}", file=sys.stderr)
    return code
