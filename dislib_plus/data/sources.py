"""Where the public files of each data set are, and the sentence for those that are missing."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """One file to fetch.

    Attributes:
      path: where it belongs, relative to the data folder.
      urls: addresses of the same bytes, tried in order.
      checksum: "md5:..." or "sha256:..." of the bytes, or None where none is published.
      unpack: for an archive, {folder inside it: new folder below the data folder}; "gunzip" for one packed file,
        `path` then being the unpacked one. The archive itself is removed afterwards.
    """

    path: str
    urls: tuple
    checksum: str = None
    unpack: object = None


@dataclasses.dataclass(frozen=True)
class Source:
    """The public files of one data set.

    Attributes:
      name: data set names that need these files, separated by spaces.
      home: page that describes the data.
      licence: as its authors state it, or "not stated".
      files: RemoteFiles; empty where the authors ask for a manual download.
      here: file patterns below the data folder that exist once the data are here; " or " stands between places of
        one file.
      size: of everything to fetch, for people.
      system: folder where a Linux distribution's package installs the files, or None.
    """

    name: str
    home: str
    licence: str
    files: tuple
    here: tuple
    size: str
    system: str = None


_IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz")


def _idx_files(folder, mirrors, checksums):
    return tuple(RemoteFile(f"{folder}/{name}", tuple(f"{mirror}/{name}" for mirror in mirrors), f"md5:{checksum}")
                 for name, checksum in zip(_IDX, checksums))


def _idx_places(*folders):
    """Patterns of the four files, gzipped or not, also as some copies name them: train-images.idx3-ubyte."""
    stems = [name.removesuffix(".gz").replace("-idx", "?idx") for name in _IDX]
    return tuple(" or ".join(f"{folder}/{stem}*" for folder in folders) for stem in stems)


def _small_norb():
    base, folder = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small", "small_norb"
    parts = {"5x46789x9x18x6x2x96x96-training": {"dat": "66054832f9accfe74a0f4c36a75bc0a2",
                                                 "cat": "23c8b86101fbf0904a000b43d3ed2fd9",
                                                 "info": "51dee1210a742582ff607dfd94e332e3"},
             "5x01235x9x18x6x2x96x96-testing": {"dat": "e4ad715691ed5a3a5f138751a4ceb071",
                                                "cat": "5aa791cd7e6016cf957ce9bdb93b8603",
                                                "info": "a9454f3864d7fd4bb3ea7fc3eb84924e"}}
    return tuple(RemoteFile(f"{folder}/smallnorb-{part}-{kind}.mat", (f"{base}/smallnorb-{part}-{kind}.mat.gz",),
                            f"md5:{checksum}", "gunzip")
                 for part, kinds in parts.items() for kind, checksum in kinds.items())


def _one(path, *urls, checksum=None, unpack=None):
    return (RemoteFile(path, urls, checksum, unpack),)


def _mpi3d(kind):
    path = f"mpi3d_{kind}/mpi3d_{kind}.npz"
    url = f"https://storage.googleapis.com/mpi3d_disentanglement_dataset/data/mpi3d_{kind}.npz"
    return Source(f"mpi3d_{kind}", "https://github.com/rr-learning/disentanglement_dataset", "CC BY 4.0",
                  _one(path, url), (path,), "11 GB" if kind != "toy" else "1 GB")


def _google_drive(key):
    return (f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t",
            f"https://drive.google.com/uc?export=download&id={key}")


def _celeba():
    pictures = RemoteFile("celeba.zip", ("https://s3-us-west-1.amazonaws.com/udacity-dlnfd/datasets/celeba.zip",
                                         *_google_drive("0B7EVK8r0v71pZjFTYXZWM3FlRnM")),
                          "md5:00d2c5bc6d35e252742224ab0c1e8fcb", {"img_align_celeba": "celeba/img_align_celeba"})
    tables = {"list_eval_partition.txt": ("0B7EVK8r0v71pY0NSMzRuSXJEVkk", "d32c9cbf5e040fd4025c592c306e6668"),
              "list_attr_celeba.txt": ("0B7EVK8r0v71pblRyaVFSWGxPY0U", "75e246fa4810816ffd6ee81facbd244c")}
    return (pictures, *(RemoteFile(f"celeba/{name}", _google_drive(key), f"md5:{checksum}")
                        for name, (key, checksum) in tables.items()))


_DSPRITES = "dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
_SHAPES3D = "3dshapes/3dshapes.h5"
_SHAPES3D_NPZ = "3dshapes/look-at-object-room_floor-hueXwall-hueXobj-hueXobj-sizeXobj-shapeXview-azi.npz"
_SCREAM = "scream/scream.jpg"

SOURCES = (
    Source("dsprites_full dsprites_noshape color_dsprites noisy_dsprites abstract_dsprites",
           "https://github.com/google-deepmind/dsprites-dataset", "zlib/libpng",
           _one(_DSPRITES, f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{_DSPRITES[9:]}",
                f"https://raw.githubusercontent.com/google-deepmind/dsprites-dataset/master/{_DSPRITES[9:]}",
                checksum="md5:7da33b31b13a06f4b04a70402ce90c2e"), (_DSPRITES,), "26 MB"),
    Source("scream_dsprites", "https://en.wikipedia.org/wiki/The_Scream", "public domain (the painting)",
           _one(_DSPRITES, f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{_DSPRITES[9:]}",
                checksum="md5:7da33b31b13a06f4b04a70402ce90c2e")
           + _one(_SCREAM, "https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg"),
           (_DSPRITES, _SCREAM), "28 MB"),
    Source("smallnorb", "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small", "research only", _small_norb(),
           tuple(file.path for file in _small_norb()), "500 MB"),
    Source("cars3d", "https://github.com/google-research/disentanglement_lib", "not stated",
           _one("nips2015-analogy-data.tar.gz", "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
                checksum="md5:4e866a7919c1beedf53964e6f7a23686", unpack={"data/cars": "cars"}),
           ("cars/*.mat",), "300 MB"),
    _mpi3d("toy"), _mpi3d("realistic"), _mpi3d("real"),
    Source("shapes3d", "https://github.com/google-deepmind/3d-shapes", "Apache-2.0",
           _one(_SHAPES3D, "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
                checksum="md5:099a2078d58cec4daad0702c55d06868"), (f"{_SHAPES3D} or {_SHAPES3D_NPZ}",), "256 MB"),
    Source("mnist", "http://yann.lecun.com/exdb/mnist", "CC BY-SA 3.0",
           _idx_files("mnist", ("https://ossci-datasets.s3.amazonaws.com/mnist",
                                "https://storage.googleapis.com/cvdf-datasets/mnist"),
                      ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
                       "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c")),
           _idx_places("mnist", "MNIST/raw"), "12 MB"),
    Source("fashion_mnist", "https://github.com/zalandoresearch/fashion-mnist", "MIT",
           _idx_files("fashion_mnist",
                      ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                       "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"),
                      ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
                       "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310")),
           _idx_places("fashion_mnist", "fashion-mnist", "FashionMNIST/raw"), "31 MB",
           "/usr/share/datasets/fashion-mnist"),
    Source("celeba", "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html", "non-commercial research only",
           _celeba(), ("celeba/img_align_celeba/*.jpg", "celeba/list_eval_partition.txt",
                       "celeba/list_attr_celeba.txt"), "1.4 GB"),
    Source("chairs", "https://www.di.ens.fr/willow/research/seeing3Dchairs", "not stated",
           _one("rendered_chairs.tar", "https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar",
                unpack={"rendered_chairs": "rendered_chairs"}), ("rendered_chairs/*/renders/*.png",), "1.6 GB"),
)

# What to say of the sets that are not listed here; all others are generated.
OTHERS = {"20newsgroups": "scikit-learn fetches them", "tfds": "prepared by TensorFlow Datasets", "arrays": "your own",
          "image_folder": "your own", "correlated": "those of the set it shows",
          "held_out": "those of the set it shows", "single_factor": "those of the set it shows"}


def find_source(name):
    """The Source of a data set, or None where it has no files."""
    return next((source for source in SOURCES if name in source.name.split()), None)


def missing_files(name, what, place):
    """The FileNotFoundError for missing files, to be raised by a loader.

    Args:
      name: data set.
      what: the file name, or words for several.
      place: path where it is expected.
    """
    source = find_source(name)
    if source is None or not source.files:
        home = f" They are described at {source.home}." if source else ""
        return FileNotFoundError(f"Data set {name!r} needs {what} in {place}, which is not there.{home}")
    return FileNotFoundError(
        f"Data set {name!r} needs {what} in {place}, which is not there; run `dislib_download {name}` with the same "
        f"--data_dir, or fetch {_by_hand(source, name, what, pathlib.Path(place))} (described at {source.home}).")


def _by_hand(source, name, what, place):
    """Where the missing file is to be had and what to do with it: the file of that name, else the archive."""
    file = next((file for file in source.files if pathlib.Path(file.path).name == what), source.files[0])
    addresses = f"{' or '.join(file.urls)} by hand"
    if file.unpack == "gunzip":
        return f"{addresses}, unpack it with gunzip and put it there"
    if not file.unpack:
        return f"{addresses} and put it there"
    depth = len(pathlib.Path(next(iter(file.unpack.values()))).parts)
    return (f"{addresses}, put it into {place.parents[depth - 1]} as {file.path} and run `dislib_download {name}` "
            "again, which unpacks it")


def found(pattern, data_dir):
    """Whether a file of a pattern of `Source.here` is below the data folder."""
    return any(path for part in pattern.split(" or ") for path in pathlib.Path(data_dir).glob(part))


def state(source, data_dir):
    """Words for which of a data set's files are below the data folder, or installed by the system."""
    here = [found(pattern, data_dir) for pattern in source.here]
    if not all(here) and source.system and pathlib.Path(source.system).is_dir():
        return f"in {source.system}"
    return "here" if all(here) else "partly here" if any(here) else "not here"
