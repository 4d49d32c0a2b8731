import dataclasses
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import time

import gin
import pytest

from dislib_plus.cli import data, download
from dislib_plus.data import Remote, Source, names, registry, sources

BIN = pathlib.Path(__file__).parents[2] / "bin"


@pytest.mark.parametrize("name", ["dislib_data", "dislib_download"])
def test_help_is_quick_and_needs_no_tensorflow(name):
    program = f"import runpy, sys; sys.argv = [{name!r}, '--help']\n" \
              f"try:\n  runpy.run_path({str(BIN / name)!r}, run_name='__main__')\n" \
              "except SystemExit as end:\n  assert not end.code\n" \
              "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}: ") and "--data_dir" in done.stdout
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("arguments, code", [(["dislib_data", "list"], 0), (["dislib_data", "show", "cars3"], 2),
                                             (["dislib_data", "show", "cars3d", "--data_dir=/nowhere"], 1),
                                             (["dislib_download", "car3d"], 2)])
def test_declarations_and_names_need_no_tensorflow(arguments, code, tmp_path):
    program = f"import runpy, sys; sys.argv = {arguments!r}\n" \
              f"try:\n  runpy.run_path({str(BIN / arguments[0])!r}, run_name='__main__')\n" \
              f"except SystemExit as end:\n  assert end.code == {code} or not end.code and not {code}, end.code\n" \
              "assert 'tensorflow.python' not in sys.modules and 'keras' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_tensorflow_is_there_where_it_is_used():
    program = "import sys\nfrom dislib_plus.cli import data\nassert data.main(['show', 'toy_dsprites_small']) == 0\n" \
              "import numpy as np\nfrom dislib_plus.data import get_named_ground_truth_data\n" \
              "small = get_named_ground_truth_data('toy_dsprites_small')\n" \
              "images = small.sample_observations(3, np.random.RandomState(0))\n" \
              "assert images.shape == (3, 32, 32, 1) and 'tensorflow.python' in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_list_says_what_is_here(tmp_path, capsys):
    (tmp_path / "cars").mkdir()
    (tmp_path / "cars" / "a.mat").write_bytes(b"")
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").write_bytes(b"")
    assert data.main(["list", f"--data_dir={tmp_path}"]) == 0
    output = capsys.readouterr().out
    rows = {line.split()[1]: line for line in output.splitlines() if line.startswith("│")}
    for files in ("cars/*.mat", "dsprites/dsprites_ndarray", "celeba/list_eval_partition", "mnist/train-images"):
        assert files in output
    assert " here " in rows["cars3d"] and "partly here" in rows["mnist"] and "none needed" in rows["toy_cars3d"]
    assert "partly" not in rows["cars3d"]
    assert "your own" in rows["image_folder"] and "not here" in rows["20newsgroups"]


@pytest.mark.parametrize("name, paths", [
    ("mnist", ["MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels.idx1-ubyte.gz",
               "MNIST/raw/t10k-images-idx3-ubyte", "mnist/t10k-labels-idx1-ubyte"]),
    ("fashion_mnist", [f"fashion-mnist/{stem}-ubyte.gz" for stem in (
        "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")]),
    ("shapes3d", ["3dshapes/look-at-object-room_floor-hueXwall-hueXobj-hueXobj-sizeXobj-shapeXview-azi.npz"]),
])
def test_every_place_that_a_loader_looks_in_counts(tmp_path, name, paths):
    assert sources.state(dataclasses.replace(registry.find_source(name), system=None), tmp_path) == "not here"
    for path in paths:
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).touch()
    assert sources.state(registry.find_source(name), tmp_path) == "here"


def test_a_set_without_files_is_generated_or_says_what_it_needs():
    own = [name for name in names() if registry._FACTORIES[name].__module__.startswith("dislib_plus.")]
    unexplained = {name for name in own if not registry.find_source(name)}
    assert {name for name in unexplained if not name.startswith("toy_")} == {"dummy_data", "pendulum"}
    assert all(source.files or source.note for source in map(registry.find_source, own) if source)


def test_what_the_data_say_of_themselves_is_shown_as_it_is(tmp_path, capsys, monkeypatch):
    """Square brackets are rich's markup: an unmatched end such as [/x] ended the command."""
    source = Source(home="https://a.b/[/c]", licence="[/l]", size="[bold]1 MB", here=("[/f]/[red]*.png",))
    monkeypatch.setitem(registry._FACTORIES, "set[/red]", None)
    monkeypatch.setitem(registry._SOURCES, "set[/red]", source)
    assert data.main(["list", f"--data_dir={tmp_path}/[/x]"]) == 0
    output = capsys.readouterr().out
    for text in ("set[/red]", "https://a.b/[/c]", "[/l]", "[bold]1 MB", "[/f]/[red]*.png", "/[/x])"):
        assert text in output


def test_a_set_of_ones_own_declares_its_files_in_one_module(tmp_path, address, monkeypatch, capsys):
    (tmp_path / "own_faces.py").write_text(
        "from dislib_plus.data import Remote, Source, register\n"
        f"SOURCE = Source(files=(Remote('faces/file', ('{address}/file',)),), size='7 bytes', licence='mine')\n"
        "@register('own_faces', source=SOURCE)\ndef own_faces(data_dir):\n    raise NotImplementedError\n")
    monkeypatch.chdir(tmp_path)
    for module in (registry._FACTORIES, registry._REST, registry._SOURCES):
        monkeypatch.setitem(module, "own_faces", None)
        monkeypatch.delitem(module, "own_faces")
    own = ["--gin_bindings=import own_faces", "--data_dir=root"]
    assert download.main(["own_faces", *own]) == 0
    assert (tmp_path / "root" / "faces" / "file").read_bytes() == b"content"
    assert "own_faces: ready in root (licence: mine)" in capsys.readouterr().out
    assert data.main(["list", *own]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "own_faces" in line)
    assert " here " in row and "faces/file" in row and "7 bytes" in row


def test_show_loads_a_set_and_leaves_gin_clean(capsys):
    assert data.main(["show", "dummy_data"]) == 0
    output = capsys.readouterr().out
    assert "factor 3 5" in output and "64x64x1" in output and "9765625" in output
    assert data.main(["show", "dummy_data", "--gin_bindings=dataset.data_dir = 'x'"]) == 0
    assert not gin.config_str().strip()


@pytest.mark.parametrize("main, arguments, code, sentence", [
    (data.main, [], 2, "say `list` or `show NAME`; received nothing"),
    (data.main, ["show"], 2, "received show"),
    (data.main, ["show", "cars3"], 2, "'cars3' is unknown; the nearest known names are cars3d"),
    (data.main, ["show", "cars3d", "--data_dir=/nowhere"], 1, "dislib_download cars3d"),
    (data.main, ["show", "toy_cars3d", "--gin_bindings=toy_cars3d.num_objects="], 2, "gin: "),
    (data.main, ["show", "toy_cars3d", "--gin_bindings=toy_cars3d.num_object = 2"], 2, "has no parameter 'num_object'"),
    (data.main, ["show", "toy_cars3d", "--gin_bindings=toy_cars3d.num_objects = 'a'"], 2, "must be an integer >= 1"),
    (data.main, ["show", "toy_dsprites_small:3"], 2, "'toy_dsprites_small' takes nothing after a colon"),
    (data.main, ["show", "cars3d:foo"], 2, "'cars3d' takes nothing after a colon"),
    (download.main, [], 2, "name at least one data set"),
    (download.main, ["car3d"], 2, "the nearest are cars3d"),
    (download.main, ["mnist", "--attempts=0"], 2, "at least 1; received 0"),
])
def test_wrong_use_is_one_sentence(main, arguments, code, sentence, capsys):
    assert main(arguments) == code
    error = capsys.readouterr().err.strip()
    assert sentence in error and "\n" not in error


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/file":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address(monkeypatch):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def serve(monkeypatch, name, *urls):
    """Makes one file at these addresses the file of a data set."""
    source = dataclasses.replace(registry.find_source(name), files=(Remote(f"{name}/file", urls),))
    monkeypatch.setitem(registry._SOURCES, name, source)


def test_download_puts_files_into_the_data_folder(tmp_path, address, monkeypatch, capsys):
    serve(monkeypatch, "cars3d", f"{address}/dead", f"{address}/file")
    monkeypatch.setenv("DISENTANGLEMENT_LIB_DATA", str(tmp_path / "root"))
    assert download.main(["cars3d", "cars3d"]) == 0
    assert (tmp_path / "root" / "cars3d" / "file").read_bytes() == b"content"
    assert capsys.readouterr().out.count("ready in") == 1


def test_the_other_sets_are_fetched_when_one_fails(tmp_path, address, monkeypatch, capsys):
    known = {"cars3d": "dead", "mnist": "file", "chairs": "gone"}
    for name, page in known.items():
        serve(monkeypatch, name, f"{address}/{page}")
    assert download.main([*known, f"--data_dir={tmp_path}"]) == 1
    output = capsys.readouterr()
    error = output.err.strip().splitlines()[-1]
    assert (tmp_path / "mnist" / "file").is_file()
    assert "mnist: ready" in output.out and output.out.count("ready") == 1
    assert "/dead: Not Found" in error and "/gone: Not Found" in error
    assert error.endswith("then run the same command again.")


def test_a_dead_link_fails_with_one_sentence(tmp_path, address, monkeypatch, capsys):
    serve(monkeypatch, "cars3d", f"{address}/dead")
    assert download.main(["cars3d", f"--data_dir={tmp_path}"]) == 1
    error = capsys.readouterr().err.strip()
    assert "Not Found" in error and f"by hand into {tmp_path / 'cars3d'}" in error and "\n" not in error
    assert not list((tmp_path / "cars3d").iterdir())
