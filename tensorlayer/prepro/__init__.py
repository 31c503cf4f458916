"""Preparing data: pictures with their boxes and key points, and sequences of ids.

An image is one array, ``(height, width)`` or ``(height, width, channels)``, of any real type; it
comes back as a new array (or a view) of the same type, and is never changed in place. A ``*_multi``
function takes a list of images and gives all of them the same random draw. What draws takes
``seed``: see [`tensorlayer.prepro.draws`][].

Pictures need the ``vision`` extra; sequences need nothing.
"""

from __future__ import annotations

from tensorlayer.prepro.affine import (
    affine_transform,
    affine_transform_cv2,
    affine_transform_keypoints,
    apply_transform,
)
from tensorlayer.prepro.boxes import (
    obj_box_coord_centroid_to_upleft,
    obj_box_coord_centroid_to_upleft_butright,
    obj_box_coord_rescale,
    obj_box_coord_scale_to_pixelunit,
    obj_box_coord_upleft_butright_to_centroid,
    obj_box_coord_upleft_to_centroid,
    obj_box_coords_rescale,
    parse_darknet_ann_list_to_cls_box,
    parse_darknet_ann_str_to_list,
)
from tensorlayer.prepro.color import (
    adjust_hue,
    brightness,
    brightness_multi,
    channel_shift,
    channel_shift_multi,
    hsv_to_rgb,
    illumination,
    pixel_value_scale,
    rgb_to_hsv,
)
from tensorlayer.prepro.deform import (
    elastic_transform,
    elastic_transform_multi,
    projective_transform_by_points,
    swirl,
    swirl_multi,
)
from tensorlayer.prepro.geometry import (
    respective_zoom,
    rotation,
    rotation_multi,
    shear,
    shear2,
    shear_multi,
    shear_multi2,
    shift,
    shift_multi,
    zoom,
    zoom_multi,
)
from tensorlayer.prepro.histogram import equalize_histogram
from tensorlayer.prepro.keypoints import (
    keypoint_random_crop,
    keypoint_random_flip,
    keypoint_random_resize,
    keypoint_random_resize_shortestedge,
    keypoint_random_rotate,
    keypoint_resize_random_crop,
)
from tensorlayer.prepro.matrices import (
    affine_compose,
    affine_horizontal_flip_matrix,
    affine_respective_zoom_matrix,
    affine_rotation_matrix,
    affine_shear_matrix,
    affine_shift_matrix,
    affine_vertical_flip_matrix,
    affine_zoom_matrix,
    transform_matrix_offset_center,
)
from tensorlayer.prepro.morphology import (
    binary_dilation,
    binary_erosion,
    dilation,
    erosion,
    find_contours,
    pt2map,
)
from tensorlayer.prepro.noise import drop, gaussian_noise
from tensorlayer.prepro.normalize import (
    featurewise_norm,
    get_zca_whitening_principal_components_img,
    samplewise_norm,
    zca_whitening,
)
from tensorlayer.prepro.objects import (
    obj_box_affine_transform,
    obj_box_crop,
    obj_box_horizontal_flip,
    obj_box_imresize,
    obj_box_left_right_flip,
    obj_box_shift,
    obj_box_zoom,
)
from tensorlayer.prepro.resize import (
    array_to_img,
    imresize,
)
from tensorlayer.prepro.sequences import (
    pad_sequences,
    process_sequences,
    remove_pad_sequences,
    sequences_add_end_id,
    sequences_add_end_id_after_pad,
    sequences_add_start_id,
    sequences_get_mask,
)
from tensorlayer.prepro.threads import (
    threading_data,
)
from tensorlayer.prepro.windows import (
    crop,
    crop_multi,
    flip_axis,
    flip_axis_multi,
)

__all__ = [
    "affine_rotation_matrix",
    "affine_horizontal_flip_matrix",
    "affine_vertical_flip_matrix",
    "affine_shift_matrix",
    "affine_shear_matrix",
    "affine_zoom_matrix",
    "affine_respective_zoom_matrix",
    "transform_matrix_offset_center",
    "affine_compose",
    "affine_transform",
    "apply_transform",
    "affine_transform_cv2",
    "affine_transform_keypoints",
    "rotation",
    "rotation_multi",
    "shift",
    "shift_multi",
    "shear",
    "shear_multi",
    "shear2",
    "shear_multi2",
    "zoom",
    "zoom_multi",
    "respective_zoom",
    "crop",
    "crop_multi",
    "flip_axis",
    "flip_axis_multi",
    "swirl",
    "swirl_multi",
    "elastic_transform",
    "elastic_transform_multi",
    "projective_transform_by_points",
    "brightness",
    "brightness_multi",
    "illumination",
    "rgb_to_hsv",
    "hsv_to_rgb",
    "adjust_hue",
    "channel_shift",
    "channel_shift_multi",
    "pixel_value_scale",
    "equalize_histogram",
    "drop",
    "gaussian_noise",
    "samplewise_norm",
    "featurewise_norm",
    "get_zca_whitening_principal_components_img",
    "zca_whitening",
    "binary_dilation",
    "dilation",
    "binary_erosion",
    "erosion",
    "find_contours",
    "pt2map",
    "array_to_img",
    "imresize",
    "obj_box_coord_rescale",
    "obj_box_coords_rescale",
    "obj_box_coord_scale_to_pixelunit",
    "obj_box_coord_centroid_to_upleft_butright",
    "obj_box_coord_upleft_butright_to_centroid",
    "obj_box_coord_centroid_to_upleft",
    "obj_box_coord_upleft_to_centroid",
    "parse_darknet_ann_str_to_list",
    "parse_darknet_ann_list_to_cls_box",
    "obj_box_horizontal_flip",
    "obj_box_left_right_flip",
    "obj_box_imresize",
    "obj_box_crop",
    "obj_box_shift",
    "obj_box_zoom",
    "obj_box_affine_transform",
    "keypoint_random_crop",
    "keypoint_resize_random_crop",
    "keypoint_random_rotate",
    "keypoint_random_flip",
    "keypoint_random_resize",
    "keypoint_random_resize_shortestedge",
    "pad_sequences",
    "remove_pad_sequences",
    "process_sequences",
    "sequences_add_start_id",
    "sequences_add_end_id",
    "sequences_add_end_id_after_pad",
    "sequences_get_mask",
    "threading_data",
]
