"""The wheel, the sdist and the editable install bring the package, its evaluation, its recipes and its commands."""

import ast
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ("setup.py", "README.md", "LICENSE", "MANIFEST.in", "Makefile", "pyproject.toml",
           "dislib_plus", "evaluation", "gin", "bin", "tests")
PROBE = """
import json, dislib_plus, dislib_plus.evaluation, dislib_plus.files
print(json.dumps([dislib_plus.__file__, dislib_plus.evaluation.__file__, str(dislib_plus.files.config_root())]))
"""


def run(*command, cwd, **environment):
    """Standard output of a command that must succeed, in an environment without Python's own settings."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env={**clean, **environment},
                          capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def files_below(folder, pattern="*"):
    """Relative names of the files below a folder, without Python's caches."""
    return {path.relative_to(folder).as_posix() for path in pathlib.Path(folder).rglob(pattern)
            if path.is_file() and "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the repository to build in, so that nothing is written to the repository."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(source):
    """(sdist, wheel); the wheel is built from the unpacked sdist, so the sdist is complete."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", source / "dist", source, cwd=source)
    (sdist,), (wheel,) = (source / "dist").glob("*.tar.gz"), (source / "dist").glob("*.whl")
    return sdist, wheel


def empty_environment(folder, with_packages_of_this_one):
    """A new virtual environment; the packages of this one may be put behind its own. Returns its bin folder."""
    venv.create(folder, with_pip=not with_packages_of_this_one)
    binaries = folder / "bin"
    if with_packages_of_this_one:
        own = run(binaries / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
        pathlib.Path(own.strip(), "behind.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return binaries


def install(binaries, *what):
    """Installs without dependencies and without an index."""
    run(binaries / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
        "--ignore-installed", *what, cwd=binaries)


def commands():
    return sorted(path.name for path in (ROOT / "bin").glob("dislib_*"))


def check_commands(binaries, cwd):
    for name in commands():
        assert "--" in run(binaries / name, "--help", cwd=cwd), name


def test_gin_folder_holds_recipes_only():
    assert {pathlib.Path(name).suffix for name in files_below(ROOT / "gin")} == {".gin"}


def test_import_gin_from_the_repository_root_is_the_gin_package():
    printed = run(sys.executable, "-c", "import gin; print(gin.__file__); gin.configurable", cwd=ROOT)
    assert pathlib.Path(printed.strip()).parent.parent == pathlib.Path(sysconfig.get_path("purelib"))


def test_wheel_holds_everything_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        headers = archive.read(metadata).decode().split("\n\n")[0]
    python = {f"dislib_plus/{name}" for name in files_below(ROOT / "dislib_plus")}
    evaluation = {f"dislib_plus/evaluation/{name}" for name in files_below(ROOT / "evaluation")}
    recipes = {f"dislib_plus/recipes/{name}" for name in files_below(ROOT / "gin")}
    library = {name for name in names if name.startswith("dislib_plus/")}
    assert library == python | evaluation | recipes
    others = {name.split("/", 1)[1] for name in names - library}
    assert {f"scripts/{name}" for name in commands()} | {"METADATA", "RECORD", "WHEEL", "licenses/LICENSE"} <= others
    assert {name.split("/")[0].split(".")[-1] for name in names - library} <= {"data", "dist-info"}
    assert "\nName: dislib-plus" in headers and "\nRequires-Python: >=3.10" in headers
    assert "tensorflow-probability[tf]" in headers
    assert not re.search(r"^Requires-Dist: [^;]*==", headers, re.MULTILINE)


def test_sdist_holds_what_a_build_and_the_tests_need(built):
    with tarfile.open(built[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    wanted = {name for name in SOURCES if (ROOT / name).is_file()}
    for folder, pattern in (("dislib_plus", "*"), ("evaluation", "*"), ("gin", "*"), ("bin", "*"), ("tests", "*")):
        wanted |= {f"{folder}/{name}" for name in files_below(ROOT / folder, pattern)}
    assert wanted <= names


def imported_modules(path):
    """Top-level names of the modules that a file imports, but for those in `try` blocks that expect ImportError."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {id(node) for block in ast.walk(tree)
               if isinstance(block, ast.Try) and "ImportError" in ast.unparse(block)
               for statement in block.body for node in ast.walk(statement)}
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_every_imported_package_is_a_declared_dependency(built):
    with zipfile.ZipFile(built[1]) as archive:
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    declared = {re.match(r"[\w.-]+", line).group().lower().replace("_", "-")
                for line in re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE) if "extra ==" not in line}
    provided_by = importlib.metadata.packages_distributions()
    for folder in ("dislib_plus", "evaluation"):
        for path in (ROOT / folder).rglob("*.py"):
            for module in set(imported_modules(path)) - set(sys.stdlib_module_names) - {"dislib_plus"}:
                providers = {name.lower().replace("_", "-") for name in provided_by.get(module, [module])}
                assert providers & declared, f"{path} imports {module}, and setup.py does not ask for it"


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_installed_package_works_from_any_folder(kind, source, built, tmp_path):
    binaries = empty_environment(tmp_path / "environment", with_packages_of_this_one=True)
    install(binaries, *([built[1]] if kind == "wheel" else ["--editable", source]))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    package, evaluation, recipes = map(pathlib.Path, json.loads(run(binaries / "python", "-c", PROBE, cwd=elsewhere)))
    home = source if kind == "editable" else tmp_path / "environment"
    assert home in package.parents and home in evaluation.parents and home in recipes.parents
    assert files_below(recipes) == files_below(ROOT / "gin")
    check_commands(binaries, elsewhere)


@pytest.mark.slow
def test_wheel_with_its_dependencies_in_an_empty_environment(built, tmp_path):
    binaries = empty_environment(tmp_path / "environment", with_packages_of_this_one=False)
    run(binaries / "python", "-m", "pip", "install", "--quiet", built[1], cwd=tmp_path)
    run(binaries / "python", "-m", "pip", "check", cwd=tmp_path)
    package, evaluation, recipes = map(pathlib.Path, json.loads(run(binaries / "python", "-c", PROBE, cwd=tmp_path)))
    assert all(tmp_path in path.parents for path in (package, evaluation, recipes))
    assert files_below(recipes) == files_below(ROOT / "gin")
    check_commands(binaries, tmp_path)
    train_and_draw(binaries, tmp_path)


def train_and_draw(binaries, cwd):
    """The demo with two cars and two iterations a stage: needs every dependency and every data file."""
    few = ["toy_cars3d.num_objects = 2", "model.training_steps = 2", "ms_vae.stage_one_steps = 2",
           "model.eval_steps = 1"]
    run(binaries / "dislib_train", "--gin_config=quickstart.gin", "--model_dir=run",
        *(f"--gin_bindings={binding}" for binding in few), cwd=cwd)
    run(binaries / "dislib_evaluate", "--model_dir=run", "--metrics=mig", "--preset=fast", cwd=cwd)
    run(binaries / "dislib_visualize", "--model_dir=run", "--gin_bindings=visualize.num_frames = 2", cwd=cwd)
    assert (cwd / "run" / "pictures" / "report.html").is_file()
