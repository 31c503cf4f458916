"""Optimizers that TensorLayer scripts know beside ``tf.optimizers``."""

from __future__ import annotations

from tensorlayer.optimizers.amsgrad import AMSGrad

__all__ = ["AMSGrad"]
