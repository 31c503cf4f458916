"""Preparing data: pictures with their boxes and key points, and sequences of ids.

An image is one array, ``(height, width)`` or ``(height, width, channels)``, of any real type; it
comes back as a new array (or a view) of the same type, and is never changed in place. A ``*_multi``
function takes a list of images and gives all of them the same random draw. What draws takes
``seed``: see [`tensorlayer.seeds`][].

Pictures need the ``vision`` extra; sequences need nothing.
"""

from __future__ import annotations

from tensorlayer.prepro import (
    affine,
    color,
    deform,
    geometry,
    histogram,
    morphology,
    noise,
    normalize,
    objects,
    sequences,
    threads,
)
from tensorlayer.prepro.affine import *
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
from tensorlayer.prepro.color import *
from tensorlayer.prepro.deform import *
from tensorlayer.prepro.geometry import *
from tensorlayer.prepro.histogram import *
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
from tensorlayer.prepro.morphology import *
from tensorlayer.prepro.noise import *
from tensorlayer.prepro.normalize import *
from tensorlayer.prepro.objects import *
from tensorlayer.prepro.resize import array_to_img, imresize
from tensorlayer.prepro.sequences import *
from tensorlayer.prepro.threads import *
from tensorlayer.prepro.windows import crop, crop_multi, flip_axis, flip_axis_multi

__all__ = [
    "affine_compose",
    "affine_horizontal_flip_matrix",
    "affine_respective_zoom_matrix",
    "affine_rotation_matrix",
    "affine_shear_matrix",
    "affine_shift_matrix",
    "affine_vertical_flip_matrix",
    "affine_zoom_matrix",
    "array_to_img",
    "crop",
    "crop_multi",
    "flip_axis",
    "flip_axis_multi",
    "imresize",
    "keypoint_random_crop",
    "keypoint_random_flip",
    "keypoint_random_resize",
    "keypoint_random_resize_shortestedge",
    "keypoint_random_rotate",
    "keypoint_resize_random_crop",
    "obj_box_coord_centroid_to_upleft",
    "obj_box_coord_centroid_to_upleft_butright",
    "obj_box_coord_rescale",
    "obj_box_coord_scale_to_pixelunit",
    "obj_box_coord_upleft_butright_to_centroid",
    "obj_box_coord_upleft_to_centroid",
    "obj_box_coords_rescale",
    "parse_darknet_ann_list_to_cls_box",
    "parse_darknet_ann_str_to_list",
    "transform_matrix_offset_center",
    *affine.__all__,
    *color.__all__,
    *deform.__all__,
    *geometry.__all__,
    *histogram.__all__,
    *morphology.__all__,
    *noise.__all__,
    *normalize.__all__,
    *objects.__all__,
    *sequences.__all__,
    *threads.__all__,
]
