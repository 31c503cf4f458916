"""AMSGrad."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
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

    def minimize(
        self, loss: tf.Tensor, global_step: Any = None, var_list: Any = None, name: Any = None
    ) -> tf.Operation:
        """Return the operation of a TensorFlow 1 graph that moves variables by one step.

        Parameters
        ----------
        loss
            A scalar tensor of the graph.
        global_step
            A variable that counts the steps; None for none.
        var_list
            The variables to move; None for all that are trained in the graph.
        name
            Of the operation.

        Raises
        ------
        InvalidArgument
            There is no such graph here, the optimizer was made outside of it, or the loss has no
            gradient.

        Examples
        --------
        >>> v1 = tf.compat.v1
        >>> with tf.Graph().as_default(), v1.Session() as sess:
        ...     x = v1.get_variable("x", initializer=1.0)
        ...     train_op = AMSGrad(learning_rate=0.1).minimize(x**2)
        ...     sess.run(v1.global_variables_initializer())
        ...     sess.run(train_op)
        ...     sess.run(x).round(3).item()
        0.8...
        """
        graph = tf.compat.v1.get_default_graph()
        if getattr(self.iterations.value, "graph", None) is not graph or graph.building_function:
            raise InvalidArgument(
                f"{self.name}.minimize: it makes an operation of the TensorFlow 1 graph that the "
                "optimizer was made in. Elsewhere compute gradients in a tf.GradientTape, and give "
                "them to apply_gradients."
            )
        trained = tf.compat.v1.trainable_variables() if var_list is None else var_list
        variables = list(trained)
        gradients = tf.compat.v1.gradients(loss, variables)
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not pairs:
            raise InvalidArgument(
                f"{self.name}.minimize: {loss!r} depends on no variable of these."
            )
        known, moved = zip(*pairs, strict=True)
        self.build(moved)

        def step(*gradients: Any) -> tf.Tensor:  # a function has its assignments in order
            self.apply_gradients(zip(gradients, moved, strict=True))
            return tf.identity(self.iterations.value)

        done = tf.function(step, autograph=False)(*known)
        if global_step is not None:
            with tf.control_dependencies([done]):
                done = tf.compat.v1.assign_add(global_step, 1)
        return tf.group(done, name=name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer."""
        config = super().get_config()
        del config["amsgrad"]
        return {"beta1": config.pop("beta_1"), "beta2": config.pop("beta_2"), **config}
