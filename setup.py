"""Packaging of dislib-plus: the library, its evaluation package, its gin recipes and its commands."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).resolve().parent
VERSION = re.search(r'^__version__ = "(.+)"', (ROOT / "dislib_plus/__init__.py").read_text(), re.MULTILINE).group(1)

# The top-level folders evaluation/ and gin/ are installed inside dislib_plus: evaluation as a package,
# the recipes as data. gin/ holds no Python file, or it would hide the package gin.
EVALUATION = ["dislib_plus.evaluation"] + [f"dislib_plus.evaluation.{name}" for name in find_packages("evaluation")]
RECIPES = ["dislib_plus.recipes"] + [".".join(("dislib_plus.recipes",) + folder.relative_to(ROOT / "gin").parts)
                                     for folder in sorted((ROOT / "gin").rglob("*"))
                                     if folder.is_dir() and any(folder.glob("*.gin"))]

# tensorflow-datasets imports importlib_resources without requiring it.
TFDS = ["tensorflow-datasets>=4.9.7,<5", "importlib-resources>=5"]

setup(
    name="dislib-plus",
    version=VERSION,
    description="Learning and measuring disentangled representations, in Keras 3",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="disentanglement, representation learning, variational autoencoder, Keras, TensorFlow",
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.10",
    packages=find_packages(include=["dislib_plus", "dislib_plus.*"]) + EVALUATION + RECIPES,
    package_dir={"dislib_plus.evaluation": "evaluation", "dislib_plus.recipes": "gin"},
    package_data={"dislib_plus.visualize": ["*.html"], **{name: ["*.gin"] for name in RECIPES}},
    scripts=sorted(str(path.relative_to(ROOT)) for path in (ROOT / "bin").glob("dislib_*")),
    install_requires=[
        "gin-config>=0.5",
        "h5py>=3.10",
        "jinja2>=3.1",
        "joblib>=1.3",
        "keras>=3.8,<4",
        "matplotlib>=3.8",
        "ml-dtypes>=0.4",
        "numpy>=1.26",
        "pandas>=2.1",
        "pillow>=10.1",
        "protobuf>=4.25",
        "rich>=13.5",
        "scikit-learn>=1.4",
        "scipy>=1.11",
        "tensorboard>=2.18",
        "tensorflow>=2.18,<3",
        "tensorflow-probability[tf]>=0.25",
        "threadpoolctl>=3.1",
        "tqdm>=4.65",
    ],
    # xgboost comes with CUDA libraries of hundreds of megabytes; for tests its build for CPUs will do.
    extras_require={"tfds": TFDS,
                    "xgboost": ["xgboost>=2.1"],
                    "test": ["build>=1.0", "import-linter>=2.9", "pytest>=8", "pytest-xdist>=3.5", "ruff>=0.14",
                             "setuptools>=77", "wheel",
                             "xgboost-cpu>=2.1.1; sys_platform == 'linux' and platform_machine == 'x86_64'"] + TFDS},
)
