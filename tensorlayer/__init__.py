"""TensorLayer: networks by stacking named layers, and their lives in MongoDB.

Nothing heavy is imported before it is used: ``import tensorlayer`` loads neither TensorFlow nor
pymongo, so the command line, the agents and the servers stay small.
"""

from __future__ import annotations

import importlib
from typing import Any

from tensorlayer import logging as logging  # it says where warnings go

__version__ = "3.0.0.dev0"

_MODULES = (
    "activation",
    "array_ops",
    "cost",
    "datasets",
    "distributed",
    "errors",
    "files",
    "hub",
    "initializers",
    "iterate",
    "layers",
    "logging",
    "models",
    "nlp",
    "optimizers",
    "prepro",
    "rein",
    "storage",
    "train",
    "utils",
    "visualize",
    "workflow",
)

# name -> (module, attribute); None means the module itself
_NAMES = {
    "act": ("activation", None),
    "alphas": ("array_ops", "alphas"),
    "alphas_like": ("array_ops", "alphas_like"),
    "connect": ("hub", "connect"),
    "vis": ("visualize", None),
}

__all__ = ["__version__", *_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        module, attribute = _NAMES[name]
        loaded = importlib.import_module(f"{__name__}.{module}")
        value = loaded if attribute is None else getattr(loaded, attribute)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
