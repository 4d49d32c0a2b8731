"""TensorBoard's event files."""

import contextlib

import tensorflow as tf


class EventFile:
    """The event file of a folder; where it cannot be written, an OSError says so in one sentence."""

    def __init__(self, folder):
        """Args: folder, made if needed."""
        self.folder = folder
        with self._errors():
            self._writer = tf.summary.create_file_writer(str(folder))

    @contextlib.contextmanager
    def writing(self):
        """A context in which `tf.summary` writes to the file."""
        with self._errors():
            with self._writer.as_default():
                yield
            # A process that is killed loses what lies in the writer's buffer.
            self._writer.flush()

    def close(self):
        """Ends the file."""
        with self._errors():
            self._writer.close()

    @contextlib.contextmanager
    def _errors(self):
        try:
            yield
        except tf.errors.OpError as error:
            raise OSError(f"The event files in {self.folder} could not be written ({error.message}); make room, or "
                          "move away what is in the way, and run the same command again.") from error
