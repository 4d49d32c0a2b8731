"""The flags of a command: argparse, with errors of one sentence, near misses, and on/off flags as absl writes them."""

import argparse
import re

from dislib_plus.sentences import brief, nearest, quoted

_WORDS = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}


class UsageError(ValueError):
    """The command line is wrong: a flag, or flags that do not fit together."""


class Flags(argparse.ArgumentParser):
    """The flags that a command takes: `--name=value`, `--name value` or `-name=value`; `--name` and `--noname`."""

    def __init__(self, name, summary):
        super().__init__(prog=name, description=f"{name}: {summary}", usage=argparse.SUPPRESS, allow_abbrev=False,
                         add_help=False, formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, 2, 6))
        self._group = self.add_argument_group("Flags")
        self._required, self._booleans, self._names = [], [], []

    def string(self, name, default, text, required=False):
        """Adds a text flag."""
        text += (" (required)" if required else "") + (f" (default: {default})" if default else "")
        self._add(name, text, default=default)
        self._required += [name] if required else []

    def strings(self, name, text):
        """Adds a text flag that may be repeated; default: an empty list."""
        self._add(name, f"{text} (may be repeated)", default=[], action="append")

    def boolean(self, name, default, text):
        """Adds an on/off flag."""
        def read(word):
            if word.lower() not in _WORDS:
                raise argparse.ArgumentTypeError(f"must be true or false; received --{name}={brief(word)}")
            return _WORDS[word.lower()]
        self._add(name, text, default=default, type=read, metavar="")
        self._booleans.append(name)

    def integer(self, name, default, text):
        """Adds an integer flag."""
        def read(word):
            try:
                return int(word)
            except ValueError:
                raise argparse.ArgumentTypeError(f"must be an integer; received --{name}={brief(word)}") from None
        self._add(name, f"{text} (default: {default})", default=default, type=read)

    def _add(self, name, text, metavar="...", **options):
        self._group.add_argument(f"--{name}", help=text.replace("%", "%%"), metavar=metavar, **options)
        self._names.append(name)

    def format_help(self):
        """The summary, and every flag in the form --name=..., with its text below it."""
        text = re.sub(r" +$", "", super().format_help(), flags=re.MULTILINE)
        return re.sub(r"^(  --\w+) \.\.\.$", r"\1=...", text, flags=re.MULTILINE)

    def read(self, arguments, operands=False):
        """The values of the flags, and `operands`: what is not a flag.

        Raises:
          UsageError: a flag is unknown, has a value that it does not take, or is missing.
        """
        values, rest = self.parse_known_args(list(map(self._with_value, arguments)))
        for argument in rest:
            if argument.startswith("-") and argument != "--":
                self._refuse_unknown(argument.lstrip("-").partition("=")[0])
        values.operands = [argument for argument in rest if argument != "--"]
        if values.operands and not operands:
            raise UsageError(f"{quoted(values.operands[0])} is not a flag; flags begin with two dashes.")
        missing = [name for name in self._required if not getattr(values, name)]
        if missing:
            raise UsageError(f"the flag --{missing[0]} is required.")
        return values

    def _with_value(self, argument):
        """A flag in the form --name=value or --name, where a value follows; anything else as it is."""
        name, equals, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-"):
            return argument
        if not equals and name in self._booleans:
            return f"--{name}=true"
        if not equals and name.removeprefix("no") in self._booleans:
            return f"--{name.removeprefix('no')}=false"
        return f"--{name}{equals}{value}" if name in self._names else argument

    def _refuse_unknown(self, name):
        near = nearest(name, self._names)
        hint = f" Did you mean: {', '.join(near)}?" if near else ""
        raise UsageError(f"unknown flag --{brief(name)}.{hint}")

    def error(self, message):
        """argparse's errors, such as "argument --count: expected one argument"."""
        raise UsageError(f"{message.replace('argument', 'the flag', 1).replace(':', '', 1)}.")
