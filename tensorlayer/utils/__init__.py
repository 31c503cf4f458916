"""Training on arrays without a loop of one's own, evaluation, and the small things scripts use."""

from tensorlayer.utils.board import exit_tensorflow, open_tensorboard
from tensorlayer.utils.conversions import (
    dict_to_one,
    flatten_list,
    get_random_int,
    list_string_to_dict,
)
from tensorlayer.utils.devices import clear_all_placeholder_variables, set_gpu_fraction
from tensorlayer.utils.epochs import run_epoch, train_epoch
from tensorlayer.utils.evaluation import class_balancing_oversample, evaluation
from tensorlayer.utils.fit import fit, predict, test

__all__ = [
    "fit",
    "test",
    "predict",
    "run_epoch",
    "train_epoch",
    "evaluation",
    "class_balancing_oversample",
    "dict_to_one",
    "flatten_list",
    "get_random_int",
    "list_string_to_dict",
    "open_tensorboard",
    "exit_tensorflow",
    "set_gpu_fraction",
    "clear_all_placeholder_variables",
]
