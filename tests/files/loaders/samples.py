"""Small files in the true format of each dataset, and how each loader reaches them."""

import dataclasses
import gzip
import hashlib
import io
import pickle  # noqa: TID251 - to make what is to be read
import struct
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np

from tensorlayer import files
from tensorlayer.files.loaders import (
    cifar10,
    cyclegan,
    flickr1m,
    flickr25k,
    imdb,
    mnist,
    mpii,
    nietzsche,
    ptb,
    svhn,
    text8,
    voc,
    wmt,
)

RNG = np.random.default_rng(0)


def make_zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_tar(members, mode="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_picture(pixels, format="jpeg"):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def checksum(content):
    return "md5:" + hashlib.md5(content).hexdigest()


# -- MNIST


def make_idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


MNIST_X, MNIST_Y = RNG.integers(0, 256, (12, 28, 28)), RNG.integers(0, 10, 12)
MNIST_X[0, 0, 0], MNIST_X[0, 0, 1] = 0, 255
MNIST_TEST_X, MNIST_TEST_Y = RNG.integers(0, 256, (4, 28, 28)), RNG.integers(0, 10, 4)
MNIST = {
    "train-images-idx3-ubyte.gz": make_idx(MNIST_X),
    "train-labels-idx1-ubyte.gz": make_idx(MNIST_Y),
    "t10k-images-idx3-ubyte.gz": make_idx(MNIST_TEST_X),
    "t10k-labels-idx1-ubyte.gz": make_idx(MNIST_TEST_Y),
}


# -- CIFAR-10

CIFAR_X = RNG.integers(0, 256, (6, 3, 3072)).astype(np.uint8)  # six batches of three pictures
CIFAR_Y = RNG.integers(0, 10, (6, 3))


def make_python_2_pickle(pixels, labels):
    """Write a batch as Python 2 wrote it: byte strings, and NumPy's names of that time."""

    def text(value):
        return b"T" + struct.pack("<i", len(value)) + value

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
        b"M"
        + struct.pack("<H", len(pixels))
        + b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + text(pixels.tobytes())
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    items = text(b"data") + array + text(b"labels") + numbers + text(b"batch_label") + text(b"x")
    return b"\x80\x02}(" + items + b"u."


CIFAR_NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
CIFAR_PYTHON = {
    f"cifar-10-batches-py/{name}": make_python_2_pickle(CIFAR_X[i], CIFAR_Y[i])
    for i, name in enumerate(CIFAR_NAMES)
}
CIFAR_BINARY = {
    f"cifar-10-batches-bin/{name}.bin": np.column_stack([CIFAR_Y[i], CIFAR_X[i]])
    .astype(np.uint8)
    .tobytes()
    for i, name in enumerate(CIFAR_NAMES)
}
CIFAR = {"cifar-10-python.tar.gz": make_tar(CIFAR_PYTHON)}


# -- SVHN

SVHN_PARTS = {
    name: (RNG.integers(0, 256, (32, 32, 3, n)).astype(np.uint8), np.array(labels, np.uint8))
    for name, n, labels in [("train", 3, [10, 1, 9]), ("test", 2, [2, 10]), ("extra", 1, [3])]
}


def make_svhn(X, y):
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"X": X, "y": y[:, None]}, do_compression=True)
    return buffer.getvalue()


SVHN = {f"{name}_32x32.mat": make_svhn(*part) for name, part in SVHN_PARTS.items()}


# -- texts

PTB_TEXTS = {
    "train": " the cat sat on the <unk> \n the dog sat \n",
    "valid": " the dog \n",
    "test": " on the cat \n",
}
PTB = {
    "simple-examples.tgz": make_tar(
        {f"./simple-examples/data/ptb.{k}.txt": v.encode() for k, v in PTB_TEXTS.items()}
    )
}
TEXT8 = {"text8.zip": make_zip({"text8": b" anarchism originated as a term"})}
NIETZSCHE = {"nietzsche.txt": "PREFACE\n\n\nSUPPOSING that Truth is a woman—what then?".encode()}
# Long enough that half of the archive ends within it.
ENGLISH = "".join(f"{n} .\n" for n in RNG.integers(0, 10**9, 5000)).encode()
WMT = {
    "training-giga-fren.tar": make_tar(
        {
            "giga-fren.release2.fixed.en.gz": gzip.compress(ENGLISH),
            "giga-fren.release2.fixed.fr.gz": gzip.compress("Bonjour .\nÀ bientôt .\n".encode()),
        },
        "w",
    ),
    "dev-v2.tgz": make_tar(
        {
            "dev/newstest2013.en": b"A cat .\n",
            "dev/newstest2013.fr": b"Un chat .\n",
            "dev/newstest2013-src.de.sgm": b"<doc>",
        }
    ),
}


# -- IMDB

IMDB_X = [[5, 7, 9], [4, 6], [5, 4, 8, 20], [11, 5], [30]]
IMDB_Y = [1, 0, 1, 0, 1]


def make_imdb():
    def ragged(reviews):
        array = np.empty(len(reviews), object)
        for i, review in enumerate(reviews):
            array[i] = review
        return array

    buffer = io.BytesIO()
    np.savez(
        buffer,
        x_train=ragged(IMDB_X[:3]),
        y_train=np.array(IMDB_Y[:3]),
        x_test=ragged(IMDB_X[3:]),
        y_test=np.array(IMDB_Y[3:]),
    )
    return buffer.getvalue()


IMDB = {"imdb.npz": make_imdb()}
IMDB_OLD = {"imdb.pkl": pickle.dumps((IMDB_X, IMDB_Y), 2)}


# -- pictures


def grey(value):
    return make_picture(
        np.full((8, 6, 3), value, np.uint8), "png"
    )  # in .jpg files: PIL looks inside


FLICKR25K = {
    "mirflickr25k.zip": make_zip(
        {
            **{f"mirflickr/im{i}.jpg": grey(i) for i in (1, 2, 10)},
            "mirflickr/meta/tags/tags1.txt": "sky\r\nblue\r\n",
            "mirflickr/meta/tags/tags2.txt": "skyline\n",
            "mirflickr/meta/tags/tags10.txt": "dog\nsky\n",
        }
    )
}
FLICKR1M = {
    "images0.zip": make_zip({"images/0/2.jpg": grey(2), "images/0/10.jpg": grey(10)}),
    "images1.zip": make_zip({"images/10/100000.jpg": grey(100)}),
    "tags.zip": make_zip(
        {
            "tags/0/2.txt": "sky\n",
            "tags/0/10.txt": "skyline\n",
            "tags/10/100000.txt": b"caf\xe9\nsky\n",
        }
    ),
}
CELEBA = {
    "img_align_celeba.zip": make_zip({f"img_align_celeba/00000{i}.jpg": grey(i) for i in (1, 2)})
}
CYCLEGAN = {
    "horse2zebra.zip": make_zip(
        {
            "horse2zebra/trainA/n2_1.jpg": grey(1),
            "horse2zebra/trainA/n2_10.jpg": grey(10),
            "horse2zebra/trainA/n2_2.jpg": grey(2),
            "horse2zebra/trainB/b.jpg": make_picture(np.full((8, 6), 77, np.uint8), "png"),
            "horse2zebra/testA/a.jpg": grey(3),
            "horse2zebra/testB/b.jpg": grey(4),
        }
    )
}

VOC_ANNOTATION = """<annotation>
  <folder>VOC2012</folder><filename>2007_000027.jpg</filename>
  <size><width>200</width><height>100</height><depth>3</depth></size>
  <object><name>person</name><difficult>0</difficult>
    <bndbox><xmin>20</xmin><ymin>10</ymin><xmax>60</xmax><ymax>90</ymax></bndbox>
    <part><name>head</name>
      <bndbox><xmin>30</xmin><ymin>10</ymin><xmax>50</xmax><ymax>30</ymax></bndbox></part>
  </object>
  <object><name>dog</name><difficult>1</difficult>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
  <object><name>cat</name>
    <bndbox><xmax>200</xmax><xmin>100</xmin><ymax>100</ymax><ymin>50</ymin></bndbox></object>
</annotation>"""
VOC_OTHER = """<annotation><filename>2007_000032.jpg</filename>
  <size><width>10</width><height>10</height><depth>3</depth></size></annotation>"""


def voc_tar(year):
    top = f"VOCdevkit/VOC{year}"
    return make_tar(
        {
            f"{top}/JPEGImages/2007_000027.jpg": grey(1),
            f"{top}/JPEGImages/2007_000032.jpg": grey(2),
            f"{top}/JPEGImages/2007_000033.jpg": grey(3),  # without an annotation
            f"{top}/Annotations/2007_000027.xml": VOC_ANNOTATION.encode(),
            f"{top}/Annotations/2007_000032.xml": VOC_OTHER.encode(),
            f"{top}/SegmentationClass/2007_000032.png": grey(4),
            f"{top}/SegmentationObject/2007_000032.png": grey(5),
        },
        "w",
    )


VOC = {
    "voc2012/VOCtrainval_11-May-2012.tar": voc_tar(2012),
    "voc2007/VOCtrainval_06-Nov-2007.tar": voc_tar(2007),
    "voc2007/VOCtest_06-Nov-2007.tar": voc_tar(2007),
}


# -- MPII


def records(rows):
    """Return what MATLAB calls a struct array."""
    array = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def make_mpii():
    from scipy.io import savemat

    def point(number, is_visible):
        return {"x": number + 0.5, "y": 2 * number, "id": number, "is_visible": is_visible}

    def person(points):
        corners = dict(zip(("x1", "y1", "x2", "y2"), (1, 2, 30, 40), strict=True))
        return {**corners, "annopoints": records([{"point": records(points)}])}

    whole = person([point(i, "1" if i % 2 else 0) for i in range(16)])
    partial = person([point(6, []), point(7, 1)])
    nobody = {"x1": [], "y1": [], "x2": [], "y2": [], "annopoints": []}
    pictures = [
        {"image": records([{"name": "a.jpg"}]), "annorect": records([whole, nobody, partial])},
        {"image": records([{"name": "b.jpg"}]), "annorect": records([{"scale": 1.0}])},
        {"image": records([{"name": "gone.jpg"}]), "annorect": records([whole])},
        {"image": records([{"name": "c.jpg"}]), "annorect": records([partial])},
    ]
    release = {"annolist": records(pictures), "img_train": np.array([[1, 0, 1, 1]], np.uint8)}
    buffer = io.BytesIO()
    savemat(buffer, {"RELEASE": release})
    return buffer.getvalue()


MPII_MAT = make_mpii()
MPII = {
    "mpii_human_pose_v1_u12_2.zip": make_zip(
        {"mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat": MPII_MAT}
    ),
    "mpii_human_pose_v1.tar.gz": make_tar({f"images/{n}.jpg": grey(1) for n in "abc"}),
}


# -- how the loaders reach them


@dataclasses.dataclass(frozen=True)
class Sample:
    """A loader, its files, and what is to be set so that it asks the server of the test."""

    load: Callable
    files: dict
    settings: Callable  # of the server's url: {(module, name): value}

    def connect(self, monkeypatch, server):
        server.files.update(self.files)
        for (module, name), value in self.settings(server.url).items():
            monkeypatch.setattr(module, name, value)


def _checksums(contents):
    return {name: checksum(content) for name, content in contents.items()}


def _voc_settings(url):
    sources = {
        year: (folder, archive, known and checksum(VOC[folder + archive]))
        for year, (folder, archive, known) in voc.SOURCES.items()
    }
    return {(voc, "HOST"): url, (voc, "SOURCES"): sources}


def _celeba_settings(url):
    import sys

    module = sys.modules["tensorlayer.files.download"]
    return {(module, "GOOGLE_DRIVE"): url + "img_align_celeba.zip"}


SAMPLES = {
    "mnist": Sample(
        files.load_mnist_dataset,
        MNIST,
        lambda url: {(mnist, "URL"): url, (mnist, "CHECKSUMS"): _checksums(MNIST)},
    ),
    "fashion": Sample(
        files.load_fashion_mnist_dataset,
        MNIST,
        lambda url: {(mnist, "FASHION_URL"): url, (mnist, "FASHION_CHECKSUMS"): _checksums(MNIST)},
    ),
    "cifar10": Sample(
        files.load_cifar10_dataset,
        CIFAR,
        lambda url: {
            (cifar10, "URL"): url,
            (cifar10, "CHECKSUM"): checksum(CIFAR["cifar-10-python.tar.gz"]),
        },
    ),
    "svhn": Sample(
        files.load_cropped_svhn,
        SVHN,
        lambda url: {
            (svhn, "URL"): url,
            (svhn, "CHECKSUMS"): {name[:-10]: checksum(data) for name, data in SVHN.items()},
        },
    ),
    "ptb": Sample(
        files.load_ptb_dataset,
        PTB,
        lambda url: {
            (ptb, "URL"): url,
            (ptb, "CHECKSUM"): checksum(PTB["simple-examples.tgz"]),
        },
    ),
    "imdb": Sample(
        files.load_imdb_dataset,
        IMDB,
        lambda url: {(imdb, "URL"): url, (imdb, "CHECKSUM"): checksum(IMDB["imdb.npz"])},
    ),
    "text8": Sample(
        files.load_matt_mahoney_text8_dataset, TEXT8, lambda url: {(text8, "URL"): url}
    ),
    "nietzsche": Sample(
        files.load_nietzsche_dataset, NIETZSCHE, lambda url: {(nietzsche, "URL"): url}
    ),
    "wmt": Sample(
        files.load_wmt_en_fr_dataset,
        WMT,
        lambda url: {(wmt, "TRAIN_URL"): url, (wmt, "DEV_URL"): url},
    ),
    "flickr25k": Sample(
        lambda path: files.load_flickr25k_dataset("sky", path),
        FLICKR25K,
        lambda url: {(flickr25k, "URL"): url},
    ),
    "flickr1m": Sample(
        lambda path: files.load_flickr1M_dataset("sky", 2, path),
        FLICKR1M,
        lambda url: {(flickr1m, "URL"): url},
    ),
    "celeba": Sample(files.load_celebA_dataset, CELEBA, _celeba_settings),
    "cyclegan": Sample(
        lambda path: files.load_cyclegan_dataset("horse2zebra", path),
        CYCLEGAN,
        lambda url: {(cyclegan, "URL"): url},
    ),
    "voc": Sample(files.load_voc_dataset, VOC, _voc_settings),
    "mpii": Sample(files.load_mpii_pose_dataset, MPII, lambda url: {(mpii, "URL"): url}),
}
