"""Parameters of what the library registers with gin, read off its source."""

import ast
import functools
import re

from dislib_plus.sentences import brief, nearest

_REGISTERS = re.compile(r"^@(?:gin\.configurable|metric)\b", re.MULTILINE)
_DECORATORS = ("gin.configurable", "metric")
# Of the constructors of Keras, which a class of the library passes on.
_OF_KERAS = ("activity_regularizer", "trainable", "dtype", "autocast", "name")


def no_parameter(name, parameter, known):
    """The sentence that `name` has no such parameter, without its end; known: those that it has."""
    near = nearest(parameter, known) or known
    nearest_ones = f"the nearest known parameters are {', '.join(near)}" if near else "it has none"
    return f"{name!r} has no parameter {brief(parameter)!r}; {nearest_ones}"


@functools.cache
def parameters(name, sources):
    """Parameter names of what is registered as `name`, of a class also those of its bases.

    Args:
      name: without its module.
      sources: tuple of the texts of the library's modules.

    Returns:
      list of names, which may hold some that gin refuses; None where they cannot be read off: the name is registered
      by a call, in several modules or nowhere, or a function takes any.
    """
    registered, classes = _definitions(sources)
    found = registered.get(name, [])
    if len(found) != 1:
        return None
    known = _of_class(found[0], classes) if isinstance(found[0], ast.ClassDef) else _of_function(found[0])
    return known and [parameter for parameter in known if parameter not in _denied(found[0])]


@functools.cache
def _definitions(sources):
    """({name in gin: its definitions}, {name of a class: its definition})."""
    registered, classes = {}, {}
    for text in sources:
        if _REGISTERS.search(text) or "\nclass " in text:
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = node
                if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                    for name in _names(node):
                        registered.setdefault(name, []).append(node)
    return registered, classes


def _names(node):
    """The names in gin that the decorators of a definition give it."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called) in _DECORATORS:
            arguments = decorator.args if isinstance(decorator, ast.Call) else []
            if not arguments or isinstance(arguments[0], ast.Constant):
                yield arguments[0].value if arguments else node.name


def _denied(node):
    """What the decorators of a definition keep from gin, where they list it."""
    keywords = [keyword for decorator in node.decorator_list for keyword in getattr(decorator, "keywords", [])]
    return [name for keyword in keywords if keyword.arg == "denylist" and isinstance(keyword.value, ast.List)
            for name in ast.literal_eval(keyword.value)]


def _of_function(node):
    """All arguments but **kwargs; None where there are such."""
    if node.args.kwarg or node.args.vararg:
        return None
    return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _of_class(node, classes):
    """Those of the constructors of a class and of all its bases; None where one cannot be read off."""
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return None
    own = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    found = [argument.arg for part in own for argument in (*part.args.args[1:], *part.args.kwonlyargs)]
    for base in map(ast.unparse, node.bases):
        if base.startswith("keras."):
            further = list(_OF_KERAS)
        elif base in classes:
            further = _of_class(classes[base], classes)
        else:
            return None
        if further is None:
            return None
        found += further
    return list(dict.fromkeys(found))
