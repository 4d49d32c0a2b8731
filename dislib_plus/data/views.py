"""Views of a data set: the set itself, but for what they change."""

from dislib_plus.data.fingerprints import contents


class View:
    """A data set that is seen through another object; what the view does not define is the set's own."""

    def __init__(self, dataset):
        """Args: dataset: a DataSet, or a view of one."""
        self._dataset = dataset

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._dataset, name)


@contents.register(View)
def _of_view(view):
    return contents(view._dataset)  # pylint: disable=protected-access


class OnePartMore(View):
    """A view whose batches can have one more part, or another one of its name.

    Subclasses define `added_part` (its name), set `added_spec` (TensorSpec of one observation) in their constructor, so
    that what a data set is called is known without TensorFlow, and define `added`.
    """

    added_part = ""

    def added(self, indices, seed):
        """The part of the batch of these indices; see DataSet.part."""
        raise NotImplementedError

    @property
    def parts(self):
        """Names of the parts that a batch can have."""
        return tuple(dict.fromkeys((*self._dataset.parts, self.added_part)))

    def part_spec(self, name):
        """TensorSpec of a part of one observation."""
        return self.added_spec if name == self.added_part else self._dataset.part_spec(name)

    def part(self, name, indices, seed=None):
        """A part of the batch of these indices; see DataSet.part."""
        return self.added(indices, seed) if name == self.added_part else self._dataset.part(name, indices, seed)
