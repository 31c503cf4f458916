"""What a saved model may name of TensorFlow and of this library, in full.

A config may come from a stranger, so the rule is a list and not a namespace: a new release of
TensorFlow or Keras adds nothing to it. On the list is what takes tensors and gives tensors. Not on
it, and why:

- what reads files or decodes bytes: ``tf.nn.fixed_unigram_candidate_sampler``,
  ``tf.image.decode_*``;
- what finds or makes objects by name: ``keras.activations.get``, ``deserialize``;
- what calls a function that it is given: ``tf.map_fn``, ``tf.signal.stft``;
- what makes large values of small numbers: ``tf.linalg.eye``, ``tf.signal.hann_window``;
- what does anything else when it is called: ``tf.py_function``, ``tf.print``.

Whoever needs one of them wraps it in a function that [`tensorlayer.models.serializable`][] marks.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer import activation, initializers

__all__ = ["CELLS", "FUNCTIONS", "INITIALIZERS"]

# Each function once, however many names it has: a model that is given tf.math.tanh names
# tensorflow.nn.tanh, the same function.
_NAMES = {
    "tensorlayer.activation": """
        hard_tanh identity leaky_relu leaky_relu6 leaky_twice_relu6 mish pixel_wise_softmax
        ramp sign swish
    """,
    "tensorflow.nn": """
        approx_max_k approx_min_k atrous_conv2d atrous_conv2d_transpose avg_pool avg_pool1d
        avg_pool2d avg_pool3d batch_norm_with_global_normalization batch_normalization
        bias_add collapse_repeated conv1d conv1d_transpose conv2d conv2d_transpose conv3d
        conv3d_transpose conv_transpose convolution crelu ctc_beam_search_decoder
        ctc_greedy_decoder ctc_loss ctc_unique_labels depth_to_space depthwise_conv2d
        depthwise_conv2d_backprop_filter depthwise_conv2d_backprop_input dilation2d dropout
        elu embedding_lookup embedding_lookup_sparse erosion2d fractional_avg_pool
        fractional_max_pool gelu in_top_k isotonic_regression l2_loss l2_normalize
        leaky_relu log_poisson_loss log_softmax lrn max_pool max_pool1d max_pool2d
        max_pool3d max_pool_with_argmax moments nce_loss normalize_moments pool relu relu6
        safe_embedding_lookup_sparse sampled_softmax_loss selu separable_conv2d sigmoid
        sigmoid_cross_entropy_with_logits softmax softmax_cross_entropy_with_logits softplus
        softsign space_to_batch space_to_depth sparse_softmax_cross_entropy_with_logits
        sufficient_statistics swish tanh top_k weighted_cross_entropy_with_logits
        weighted_moments zero_fraction
    """,
    "tensorflow.math": """
        abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2
        atanh bessel_i0 bessel_i0e bessel_i1 bessel_i1e betainc bincount ceil
        confusion_matrix conj cos cosh count_nonzero cumprod cumsum cumulative_logsumexp
        digamma divide divide_no_nan equal erf erfc erfcinv erfinv exp expm1 floor floordiv
        floormod greater greater_equal igamma igammac imag invert_permutation is_finite
        is_inf is_nan is_non_decreasing is_strictly_increasing lbeta less less_equal lgamma
        log log1p log_sigmoid logical_and logical_not logical_or logical_xor maximum minimum
        multiply multiply_no_nan ndtri negative nextafter not_equal polygamma polyval pow
        real reciprocal reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm
        reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum
        reduce_variance rint round rsqrt scalar_mul segment_max segment_mean segment_min
        segment_prod segment_sum sign sin sinh sqrt square squared_difference subtract tan
        truediv unsorted_segment_max unsorted_segment_mean unsorted_segment_min
        unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py
        xlogy zeta
    """,
    "tensorflow.image": """
        adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_jpeg_quality
        adjust_saturation central_crop combined_non_max_suppression convert_image_dtype
        crop_and_resize crop_to_bounding_box draw_bounding_boxes extract_glimpse
        extract_patches flip_left_right flip_up_down generate_bounding_box_proposals
        grayscale_to_rgb hsv_to_rgb image_gradients non_max_suppression
        non_max_suppression_overlaps non_max_suppression_padded
        non_max_suppression_with_scores pad_to_bounding_box per_image_standardization psnr
        random_brightness random_contrast random_crop random_flip_left_right
        random_flip_up_down random_hue random_jpeg_quality random_saturation resize
        resize_with_crop_or_pad resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq
        rgb_to_yuv rot90 sample_distorted_bounding_box sobel_edges ssim ssim_multiscale
        stateless_random_brightness stateless_random_contrast stateless_random_crop
        stateless_random_flip_left_right stateless_random_flip_up_down stateless_random_hue
        stateless_random_jpeg_quality stateless_random_saturation
        stateless_sample_distorted_bounding_box total_variation transpose yiq_to_rgb
        yuv_to_rgb
    """,
    "tensorflow.linalg": """
        adjoint band_part banded_triangular_solve cholesky cholesky_solve cross det diag
        diag_part eig eigh eigh_tridiagonal eigvals eigvalsh einsum expm global_norm inv
        logdet logm lstsq lu lu_matrix_inverse lu_reconstruct lu_solve matmul matrix_rank
        matrix_transpose matvec norm normalize pinv qr set_diag slogdet solve sqrtm svd
        tensor_diag tensor_diag_part tensordot trace triangular_solve tridiagonal_matmul
        tridiagonal_solve
    """,
    "tensorflow.signal": """
        dct fft fft2d fft3d fftnd fftshift frame idct ifft ifft2d ifft3d ifftnd ifftshift
        irfft irfft2d irfft3d irfftnd mfccs_from_log_mel_spectrograms overlap_and_add rfft
        rfft2d rfft3d rfftnd
    """,
    "tensorflow.keras.activations": """
        celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh
        leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu
        soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax
        squareplus tanh tanh_shrink threshold
    """,
    "tensorflow": """
        identity stop_gradient cast reshape transpose squeeze expand_dims concat stack tile pad
        reverse roll clip_by_value one_hot gather repeat
    """,
    "tensorlayer.initializers": """
        Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal BilinearUpsampling
    """,
    "tensorflow.keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform
        Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    """,
}
_OURS = {"tensorlayer.activation": activation, "tensorlayer.initializers": initializers}


def _module(path: str) -> Any:
    return _OURS[path] if path in _OURS else functools.reduce(getattr, path.split(".")[1:], tf)


def _found(kind: Callable[[Any], bool]) -> dict[str, Any]:
    """Return what is listed, of this kind, and what this release of TensorFlow has."""
    every = {
        f"{module}.{name}": getattr(_module(module), name, None)
        for module, names in _NAMES.items()
        for name in names.split()
    }
    return {path: thing for path, thing in every.items() if kind(thing)}


#: Functions of tensors by the name that a config gives them.
FUNCTIONS: dict[str, Callable[..., Any]] = _found(inspect.isroutine)
#: Classes of initializers by name; all their arguments are plain values.
INITIALIZERS: dict[str, type] = _found(inspect.isclass)
#: Classes of recurrent cells, which some models are given. All their arguments are plain values.
CELLS: dict[str, type] = {
    f"tensorflow.keras.layers.{cell.__name__}": cell
    for cell in (tf.keras.layers.GRUCell, tf.keras.layers.LSTMCell, tf.keras.layers.SimpleRNNCell)
}
