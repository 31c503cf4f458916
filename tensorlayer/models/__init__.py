"""Models, their structure and weights, and their versions in the database.

The half that computes is loaded when it is first used, so that versions can be read without
TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

_NAMES = {
    "Model": "model",
    "serializable": "names",
    "Signature": "signature",
    "Models": "versions",
    "Version": "versions",
    "Event": "events",
    "BeamSearch": "decoding",
    "Decoded": "decoding",
    "GreedySearch": "decoding",
    "SampledSearch": "decoding",
    "Seq2seq": "seq2seq",
    "Seq2seqLuongAttention": "seq2seq_attention",
    "MobileNetV1": "zoo.mobilenet",
    "ResNet50": "zoo.resnet",
    "SqueezeNetV1": "zoo.squeezenet",
    "VGG": "zoo.vgg",
    "VGG16": "zoo.vgg",
    "VGG19": "zoo.vgg",
    "vgg16": "zoo.vgg",
    "vgg19": "zoo.vgg",
}

__all__ = [*_NAMES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
