"""Training on arrays without a loop of one's own, evaluation, and the small things scripts use."""

from tensorlayer.utils import conversions, devices, epochs
from tensorlayer.utils.board import exit_tensorflow, open_tensorboard
from tensorlayer.utils.conversions import *
from tensorlayer.utils.devices import *
from tensorlayer.utils.epochs import *
from tensorlayer.utils.evaluation import class_balancing_oversample, evaluation
from tensorlayer.utils.fit import fit, predict, test

__all__ = [
    "class_balancing_oversample",
    "evaluation",
    "exit_tensorflow",
    "fit",
    "open_tensorboard",
    "predict",
    "test",
    *conversions.__all__,
    *devices.__all__,
    *epochs.__all__,
]
