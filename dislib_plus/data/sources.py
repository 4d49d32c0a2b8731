"""Where the public files of each data set are, and the sentence for those that are missing."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """One file to fetch.

    Attributes:
      path: where it belongs, relative to the data folder.
      urls: addresses of the same bytes, tried in order.
      checksum: "md5:..." or "sha256:..." of the bytes, or None where none is published.
      unpack: for an archive, {prefix inside it: folder below the data folder}; the archive itself is then removed.
        "gunzip" stores the unpacked bytes as `path`.
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
      here: file patterns below the data folder that exist once the data are here.
      size: of everything to fetch, for people.
    """

    name: str
    home: str
    licence: str
    files: tuple
    here: tuple
    size: str


_IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz")


def _idx_files(folder, mirrors, checksums):
    return tuple(RemoteFile(f"{folder}/{name}", tuple(f"{mirror}/{name}" for mirror in mirrors), f"md5:{checksum}")
                 for name, checksum in zip(_IDX, checksums))


SOURCES = (
    Source("cars3d", "https://github.com/google-research/disentanglement_lib", "not stated",
           (RemoteFile("nips2015-analogy-data.tar.gz",
                       ("http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",),
                       unpack={"data/cars/": "cars"}),),
           ("cars/*.mat",), "300 MB"),
    Source("mnist", "http://yann.lecun.com/exdb/mnist", "CC BY-SA 3.0",
           _idx_files("mnist", ("https://ossci-datasets.s3.amazonaws.com/mnist",
                                "https://storage.googleapis.com/cvdf-datasets/mnist"),
                      ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
                       "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c")),
           tuple(f"mnist/{name[:-3]}*" for name in _IDX), "12 MB"),
    Source("fashion_mnist", "https://github.com/zalandoresearch/fashion-mnist", "MIT",
           _idx_files("fashion_mnist", ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                                        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"),
                      ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
                       "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310")),
           tuple(f"fashion_mnist/{name[:-3]}*" for name in _IDX), "31 MB"),
)


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
    addresses = " or ".join(source.files[0].urls)
    return FileNotFoundError(
        f"Data set {name!r} needs {what} in {place}, which is not there; run `dislib_download {name}` with the same "
        f"--data_dir, or fetch {addresses} by hand (described at {source.home}) and put it there.")
