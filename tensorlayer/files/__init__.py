"""Files: weights, arrays, downloads, folders and well-known datasets.

Everything that is written appears whole or not at all, and nothing that is read is executed.
"""

from __future__ import annotations

from tensorlayer.files import anything, checkpoints, folders, hdf5, pictures
from tensorlayer.files.anything import *
from tensorlayer.files.checkpoints import *
from tensorlayer.files.download import (
    download,
    download_file_from_google_drive,
    maybe_download_and_extract,
)
from tensorlayer.files.folders import *
from tensorlayer.files.hdf5 import *
from tensorlayer.files.loaders.celeba import load_celebA_dataset
from tensorlayer.files.loaders.cifar10 import load_cifar10_dataset
from tensorlayer.files.loaders.cyclegan import load_cyclegan_dataset
from tensorlayer.files.loaders.flickr1m import load_flickr1M_dataset
from tensorlayer.files.loaders.flickr25k import load_flickr25k_dataset
from tensorlayer.files.loaders.imdb import load_imdb_dataset
from tensorlayer.files.loaders.mnist import load_fashion_mnist_dataset, load_mnist_dataset
from tensorlayer.files.loaders.mpii import load_mpii_pose_dataset
from tensorlayer.files.loaders.nietzsche import load_nietzsche_dataset
from tensorlayer.files.loaders.ptb import load_ptb_dataset
from tensorlayer.files.loaders.svhn import load_cropped_svhn
from tensorlayer.files.loaders.text8 import load_matt_mahoney_text8_dataset
from tensorlayer.files.loaders.voc import load_voc_dataset
from tensorlayer.files.loaders.wmt import load_wmt_en_fr_dataset
from tensorlayer.files.npz import read_npy, read_npz
from tensorlayer.files.pictures import *
from tensorlayer.files.weights import (
    assign_params,
    assign_tf_variable,
    assign_weights,
    load_and_assign_npz,
    load_and_assign_npz_dict,
    load_npz,
    save_npz,
    save_npz_dict,
    tf_variables_to_numpy,
)
from tensorlayer.whole import whole_file

__all__ = [
    "assign_params",
    "assign_tf_variable",
    "assign_weights",
    "download",
    "download_file_from_google_drive",
    "load_and_assign_npz",
    "load_and_assign_npz_dict",
    "load_celebA_dataset",
    "load_cifar10_dataset",
    "load_cropped_svhn",
    "load_cyclegan_dataset",
    "load_fashion_mnist_dataset",
    "load_flickr1M_dataset",
    "load_flickr25k_dataset",
    "load_imdb_dataset",
    "load_matt_mahoney_text8_dataset",
    "load_mnist_dataset",
    "load_mpii_pose_dataset",
    "load_nietzsche_dataset",
    "load_npz",
    "load_ptb_dataset",
    "load_voc_dataset",
    "load_wmt_en_fr_dataset",
    "maybe_download_and_extract",
    "read_npy",
    "read_npz",
    "save_npz",
    "save_npz_dict",
    "tf_variables_to_numpy",
    "whole_file",
    *anything.__all__,
    *checkpoints.__all__,
    *folders.__all__,
    *hdf5.__all__,
    *pictures.__all__,
]
