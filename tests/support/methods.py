"""The library's methods, as gin knows them."""

import keras

from dislib_plus import gin_internals, methods


def known_methods():
    """{gin name: class} of everything in dislib_plus.methods that gin can make."""
    registered = {selector: gin_internals.entry(selector).wrapped for selector in gin_internals.selectors()}
    return {selector.rpartition(".")[2]: thing for selector, thing in registered.items()
            if isinstance(thing, type) and issubclass(thing, keras.Model)
            and thing.__module__.startswith(f"{methods.__name__}.")}
