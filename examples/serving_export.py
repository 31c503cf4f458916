"""A classifier leaves: trained here, asked where there is only TensorFlow, or by a server.

    python examples/serving_export.py                  # digits of scikit-learn
    python examples/serving_export.py --data folder    # MNIST

A server gets what cameras and files give, and answers what people ask: ``model.export`` puts the
functions before and after the network into the export. It has two signatures. ``serving_default``
takes pixels as bytes, ``png`` takes files; both answer with a digit and a probability.

Then a process of its own, ``asking.py``, loads the export with TensorFlow alone, and its answers to
digits that were held out are compared with those of the model here. The last lines are the command
that serves the export with TensorFlow Serving, and one that asks it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

BAR = 0.95
SERVED = """
docker run -p 8501:8501 -e MODEL_NAME=digits \\
    --mount type=bind,source={folder},target=/models/digits tensorflow/serving

curl -d '{{"signature_name": "png", "instances": [{{"b64": "'$(base64 -w0 {png})'"}}]}}' \\
    http://localhost:8501/v1/models/digits:predict
"""


def network(side: int) -> tl.models.Model:
    """Declare what tells digits apart; it takes numbers from 0 to 1."""
    x = tl.layers.Input([None, side, side, 1], name="image")
    net = tl.layers.Conv2d(x, 16, (3, 3), name="conv1")
    net = tl.layers.BatchNorm(net, act="relu", name="bn1")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool1")
    net = tl.layers.Conv2d(net, 32, (3, 3), act="relu", name="conv2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.Dropout(net, keep=0.7, name="drop")
    return tl.models.Model(x, tl.layers.Dense(net, 10, name="logits"), name="digits")


def scaled(pixels: tf.Tensor) -> tf.Tensor:
    """Return what the network takes, of bytes (n, side, side)."""
    return tf.cast(pixels, tf.float32)[..., None] / 255.0


def decoded(png: tf.Tensor) -> tf.Tensor:
    """Return what the network takes, of files (n)."""
    grey = tf.TensorSpec([None, None, 1], tf.uint8)
    images = tf.map_fn(lambda each: tf.io.decode_png(each, 1), png, fn_output_signature=grey)
    return tf.cast(images, tf.float32) / 255.0


def answer(logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return what people ask: which digit, and how sure."""
    shares = tf.nn.softmax(logits)
    return {"digit": tf.argmax(shares, axis=-1), "probability": tf.reduce_max(shares, axis=-1)}


def export(model: tl.models.Model, side: int, folder: Path) -> None:
    """Write it, as a version of a folder that a server watches."""
    files = tl.models.Signature(
        "png",
        inputs={"png": tf.TensorSpec([None], tf.string)},
        preprocess=decoded,
        postprocess=answer,
    )
    model.export(
        folder,
        inputs={"pixels": tf.TensorSpec([None, side, side], tf.uint8)},
        preprocess=scaled,
        postprocess=answer,
        signatures=[files],
    )


def ask(folder: Path, out: Path, signature: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the answers of another process, which has TensorFlow alone."""
    name = "pixels" if signature == "serving_default" else signature
    given, answers = out / f"{name}.npz", out / f"{name}.answers.npz"
    np.savez(given, **{name: values})
    program = Path(__file__).with_name("asking.py")
    command = [program, folder, given, answers, "--signature", signature]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    with np.load(answers) as file:
        return dict(file)


@arguments.program
def main() -> None:
    """Train, export, and compare."""
    parser = handwritten.parser(__doc__, "serving_export", n_epoch=20)
    options = arguments.parse(parser, quick={"epochs": 8}, takes="half a minute; checked")
    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    train, test = handwritten.read(options.data)
    side = train.images.shape[1]
    model = network(side)
    handwritten.learn(model, train, options.epochs)

    folder = options.out / "digits" / "1"
    export(model, side, folder)
    pixels = np.round(test.images[..., 0] * 255).astype("uint8")
    images = (pixels / 255).astype("float32")[..., None]
    expected = answer(tl.utils.predict(model, images, batch_size=500))
    png = [tf.io.encode_png(image[..., None]).numpy() for image in pixels]
    for signature, values in (("serving_default", pixels), ("png", np.array(png))):
        answers = ask(folder, options.out, signature, values)
        apart = np.abs(answers["probability"] - expected["probability"]).max()
        if apart > 1e-5 or np.any(answers["digit"] != expected["digit"]):
            raise SystemExit(f"{signature} should answer as the model does; {apart} apart")
        print(f"{signature}: {len(values)} answers as of the model, {apart:.0e} apart")

    reached = np.mean(answers["digit"] == test.labels)
    (options.out / "seven.png").write_bytes(png[int(np.argmax(test.labels == 7))])
    print(f"accuracy {reached:.1%} on digits held out, with TensorFlow alone")
    print(f"{time.perf_counter() - started:.0f} s; to serve it, and to ask the server:")
    print(SERVED.format(folder=folder.parent.resolve(), png=options.out / "seven.png"))
    if options.data is None and reached < BAR:
        raise SystemExit(f"the accuracy should be {BAR:.0%}")


if __name__ == "__main__":
    main()
