"""What every command shares: flags, help, errors as one sentence, exit codes 0, 1 and 2."""

import contextlib
import logging
import os
import re
import sys
import traceback
import warnings

from absl import flags as absl_flags

from dislib_plus import configuration, files

SUCCESS, FAILURE, USAGE = 0, 1, 2
# How gin begins the line that it adds to the message of an error in a function that it has called.
GIN_CALL = "  In call to configurable"
# TensorFlow's dump of source lines before the error itself; bold type and the arguments that Keras adds.
_USER_CODE = re.compile(r"in user code:.*?\s(?<!except\s)\w*(?:Error|Exception): ", re.DOTALL)
_KERAS_CALL = re.compile(r"\x1b\[[0-9;]*m|\n\s*Arguments received by [^\n]*(?:\n\s*•[^\n]*)*")


class UsageError(ValueError):
    """The flags do not fit together."""


class Flags(absl_flags.FlagValues):
    """The flags of one command, apart from absl's global ones, so that importing a library adds none."""

    def __init__(self):
        super().__init__()
        self.__dict__["required"], self.__dict__["help_texts"] = [], {}  # plain attributes would be flags

    def string(self, name, default, text, required=False):
        """Adds a text flag."""
        absl_flags.DEFINE_string(name, default, text, flag_values=self)
        self._describe(name, text + (" (required)" if required else "") + (f" (default: {default})" if default else ""))
        self.__dict__["required"] += [name] if required else []

    def strings(self, name, text):
        """Adds a text flag that may be repeated; default: an empty list."""
        absl_flags.DEFINE_multi_string(name, [], text, flag_values=self)
        self._describe(name, f"{text} (may be repeated)")

    def boolean(self, name, default, text):
        """Adds an on/off flag."""
        absl_flags.DEFINE_bool(name, default, text, flag_values=self)
        self._describe(name, text)

    def integer(self, name, default, text):
        """Adds an integer flag."""
        absl_flags.DEFINE_integer(name, default, text, flag_values=self)
        self._describe(name, f"{text} (default: {default})")

    def _describe(self, name, text):
        self.__dict__["help_texts"][name] = text

    def missing(self):
        """Names of required flags that were not given."""
        return [name for name in self.__dict__["required"] if self[name].value in (None, "")]

    def usage(self):
        """One paragraph a flag, as shown by --help."""
        lines = []
        for name, text in self.__dict__["help_texts"].items():
            flag = self[name]
            form = f"[no]{name}" if flag.boolean and flag.default else name if flag.boolean else f"{name}=..."
            lines += [f"  --{form}", f"      {text}"]
        return "\n".join(lines)


def run(name, summary, define, act, argv=None, operands=False):
    """Runs a command: reads its flags, acts, and turns every expected error into one sentence.

    Args:
      name: the command's name, such as "dislib_train".
      summary: what it does, one or two sentences, shown by --help.
      define: function (Flags) that adds the command's flags.
      act: function (Flags) that does the work; heavy imports belong inside it.
      argv: arguments without the program name; None: those of the process.
      operands: whether the command takes arguments that are no flags; `act` finds them in `flags.operands`.

    Returns:
      0: done. 1: the work failed: files are missing, damaged or in the way, a loss is not finite, a metric cannot be
      computed. 2: the command line or the configuration is wrong in itself, whatever the files, and nothing was
      started: an unknown name or parameter, a value outside its range, parts that do not fit together.
    """
    flags = Flags()
    define(flags)
    flags.boolean("traceback", False, "Show the Python traceback of an error too.")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if any(argument in ("--help", "-h", "-help") for argument in arguments):
        print(f"{name}: {summary}\n\nFlags:\n{flags.usage()}")
        return SUCCESS
    try:
        extra = flags([name] + arguments)[1:]
    except absl_flags.Error as error:
        return _fail(name, f"{' '.join(str(error).split())} Try {name} --help.", USAGE)
    flags.__dict__["operands"] = extra  # a plain attribute would be a flag
    if extra and not operands:
        return _fail(name, f"{extra[0]!r} is not a flag; flags begin with two dashes. Try {name} --help.", USAGE)
    if flags.missing():
        return _fail(name, f"the flag --{flags.missing()[0]} is required. Try {name} --help.", USAGE)
    return _guarded(name, act, flags)


def _guarded(name, act, flags):
    try:
        with _messages(name):
            act(flags)
    except KeyboardInterrupt:
        return _fail(name, "stopped from the keyboard; the same command goes on from the last checkpoint, if any.",
                     FAILURE)
    except (UsageError, configuration.ConfigurationError) as error:
        return _fail(name, sentence(error), USAGE, flags.traceback)
    except (ValueError, OSError) as error:
        wrong = isinstance(error, ValueError) and configuration.raised_in_reference(error)
        return _fail(name, sentence(error), USAGE if wrong else FAILURE, flags.traceback)
    except Exception as error:  # pylint: disable=broad-except  # The command's end: a sentence for what gin has bound.
        return _unforeseen(name, error, flags)
    return SUCCESS


def _unforeseen(name, error, flags):
    """Of an error that no check foresaw: a sentence where gin's bindings led to it, else the traceback."""
    endless = configuration.endless_reference(error)
    if endless:
        return _fail(name, f"gin: {endless} needs {endless} itself to be made; bind something else in it.", USAGE,
                     flags.traceback)
    if "Required bindings" in str(error):
        return _fail(name, f"gin: {sentence(error)}", USAGE, flags.traceback)
    wrong = configuration.raised_in_reference(error)
    if GIN_CALL not in str(error) and not wrong:
        raise error
    message = f"{type(error).__name__}: {sentence(error)} (--traceback shows where.)"
    return _fail(name, message, USAGE if wrong else FAILURE, flags.traceback)


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
    lines = [line for line in text.splitlines() if not line.startswith(GIN_CALL)]
    text = _KERAS_CALL.sub("", _USER_CODE.sub("", "\n".join(lines)))
    return " ".join(text.split()) or type(error).__name__


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
