"""Where tables are printed."""

import sys

import rich.console


class Console(rich.console.Console):
    """Standard output, or a stream, of that many columns where it is not a terminal.

    Texts are shown as they are: "[x]" and ":x:" in a name or a path are not rich's markup. That nobody reads on is an
    error as everywhere else, where rich would end the process.
    """

    def __init__(self, stream=None, columns=None):
        stream = stream or sys.stdout
        super().__init__(file=stream, width=None if stream.isatty() else columns, markup=False, emoji=False)

    def on_broken_pipe(self):
        raise  # pylint: disable=misplaced-bare-raise  # the error that rich is handling
