"""AMSGrad."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.optimizers.rows import AllRows

__all__ = ["AMSGrad"]


class AMSGrad(AllRows, tf.keras.optimizers.Adam):
    r"""Adam whose steps never grow because gradients were forgotten.

    With the gradient $g_t$, $m_t=\beta_1m_{t-1}+(1-\beta_1)g_t$ and
    $v_t=\beta_2v_{t-1}+(1-\beta_2)g_t^2$,

    $$
    \hat v_t=\max(\hat v_{t-1},v_t),\qquad
    \theta_t=\theta_{t-1}-\eta\,\frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\,
    \frac{m_t}{\sqrt{\hat v_t}+\epsilon}.
    $$

    It is Keras's Adam with ``amsgrad=True`` under TensorLayer's names and defaults; everything else
    that a Keras optimizer takes and does is there. A step on a sparse gradient is that on the dense
    one: it moves all rows, and rows that are named twice are added up before they are squared.

    Parameters
    ----------
    learning_rate
        $\eta$: a number, or a schedule of ``tf.keras.optimizers.schedules``.
    beta1, beta2
        How much of the mean and of the mean square of the gradient is kept from step to step.
    epsilon
        Bounds the step of parameters that have hardly had a gradient.
    use_locking
        Accepted for old scripts; it has no effect, as updates are always complete.
    name
        Of the optimizer and its variables.
    **kwargs
        Whatever else Keras's Adam takes, such as ``clipnorm`` or ``weight_decay``.

    References
    ----------
    Reddi et al., "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> x = tf.Variable(1.0)
    >>> optimizer = AMSGrad(learning_rate=0.1)
    >>> for _ in range(100):
    ...     with tf.GradientTape() as tape:
    ...         loss = x**2
    ...     _ = optimizer.apply_gradients([(tape.gradient(loss, x), x)])
    >>> abs(x.numpy()) < 0.1
    np.True_
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.99,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "AMSGrad",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta1,
            beta_2=beta2,
            epsilon=epsilon,
            amsgrad=True,
            name=name,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer."""
        config = super().get_config()
        del config["amsgrad"]
        return {"beta1": config.pop("beta_1"), "beta2": config.pop("beta_2"), **config}
