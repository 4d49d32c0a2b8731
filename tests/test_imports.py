"""Who imports whom, as far as `make lint` does not see it."""

import ast
import graphlib
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from support.methods import known_methods

ROOT = pathlib.Path(__file__).resolve().parents[1]
# In a process of its own, where the package is the copy that has evaluation in its place.
GRAPH = """
import grimp, json
graph = grimp.build_graph("dislib_plus", cache_dir=None)
print(json.dumps({module: sorted(graph.find_modules_directly_imported_by(module)) for module in graph.modules}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Folder of the package with evaluation in its place."""
    folder = tmp_path_factory.mktemp("package") / "dislib_plus"
    shutil.copytree(ROOT / "dislib_plus", folder)
    shutil.copytree(ROOT / "evaluation", folder / "evaluation")
    return folder


@pytest.fixture(scope="module")
def imports(package):
    """{module: list of the modules that it imports}."""
    done = subprocess.run([sys.executable, "-c", GRAPH], cwd=package.parent, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_no_ring_of_files(imports):
    """Packages included, which are their __init__.py."""
    assert len(imports) > 200 and "dislib_plus.evaluation.runner" in imports
    graphlib.TopologicalSorter(imports).prepare()


@pytest.mark.parametrize("method", sorted({method.__module__ for method in known_methods().values()}))
def test_removing_a_method_breaks_no_other_file(imports, method):
    """Only the line in methods/__init__.py goes with it, and the methods that are special cases of it."""
    own = tuple(each for each in known_methods().values() if each.__module__ == method)
    special = {each.__module__ for each in known_methods().values() if issubclass(each, own)} - {method}
    assert {module for module, imported in imports.items() if method in imported} <= {"dislib_plus.methods", *special}


def test_no_file_outside_asks_for_the_class_of_a_method(package):
    classes = {method.__name__ for method in known_methods().values()}
    for path in package.rglob("*.py"):
        if path.is_relative_to(package / "methods"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert getattr(node, "attr", getattr(node, "id", None)) not in classes, (path, node.lineno)
