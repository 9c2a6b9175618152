"""Small nets as Keras has them, through tf2onnx: seeded weights, one file each.

    pip install tensorflow-cpu tf2onnx
    python tests/exported/export_keras.py [FOLDER]

Not part of the tests: they read the files, which lie beside this script.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import tensorflow as tf
import tf2onnx
from keras import layers

FOLDER = Path(__file__).parent / "files"


def residual() -> keras.Model:
    x = start = keras.Input((16, 16, 3), name="x")
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(x)
    x = skip = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, 1, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(layers.Add()([x, skip]))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(start, layers.Dense(5, "softmax")(x))


def mobile_block() -> keras.Model:
    x = start = keras.Input((12, 12, 4), name="x")
    x = layers.Conv2D(16, 1, padding="same", use_bias=False)(x)
    x = layers.Activation("hard_swish")(layers.BatchNormalization()(x))
    x = layers.ZeroPadding2D(((1, 2), (1, 2)))(x)
    x = layers.DepthwiseConv2D(5, 1, "valid", use_bias=False)(x)
    x = layers.Activation("hard_swish")(layers.BatchNormalization()(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="relu")(gate)
    gate = layers.Conv2D(16, 1, activation="hard_sigmoid")(gate)
    x = layers.Conv2D(4, 1)(layers.Multiply()([x, gate]))
    return keras.Model(start, x)


def lstm() -> keras.Model:
    x = start = keras.Input((9, 10), name="x")
    return keras.Model(start, layers.Dense(4, "softmax")(layers.LSTM(12, unroll=False)(x)))


def gru() -> keras.Model:
    x = start = keras.Input((9, 10), name="x")
    return keras.Model(start, layers.Dense(4, "softmax")(layers.GRU(12)(x)))


def encoder() -> keras.Model:
    x = start = keras.Input((7, 16), name="x")
    y = layers.MultiHeadAttention(2, 8)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.Dense(32)(x)  # tf2onnx writes the exact gelu with Erfc, which ONNX does not have
    y = layers.Dense(16)(keras.activations.gelu(y, approximate=True))
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    return keras.Model(start, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def upsampling() -> keras.Model:
    x = start = keras.Input((12, 12, 1), name="x")
    x = skip = layers.Conv2D(6, 3, padding="same", activation="silu")(x)
    x = layers.Conv2D(8, 3, 2, "same", activation="elu")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    up = layers.Conv2DTranspose(6, 3, 2, "same")(layers.AveragePooling2D(2)(x))
    x = layers.Concatenate()([x, skip, up])
    return keras.Model(start, layers.Conv2D(1, 1, activation="sigmoid")(x))


def signal() -> keras.Model:
    x = start = keras.Input((20, 6), name="x")
    x = layers.SeparableConv1D(12, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="tanh")(x)
    return keras.Model(start, layers.Dense(4)(layers.Flatten()(x)))


NETS: Mapping[str, Callable[[], keras.Model]] = {
    "residual": residual,
    "mobile_block": mobile_block,
    "lstm": lstm,
    "gru": gru,
    "encoder": encoder,
    "upsampling": upsampling,
    "signal": signal,
}


def export(name: str, folder: Path) -> None:
    keras.utils.set_random_seed(1)
    keras.backend.clear_session()
    net = NETS[name]()
    path = folder / f"keras_{name}.onnx"
    signature = [tf.TensorSpec((None, *net.input_shape[1:]), tf.float32, name="x")]
    whole = tf.function(lambda x: net(x, training=False), input_signature=signature)
    tf2onnx.convert.from_function(whole, signature, opset=17, output_path=str(path))
    print(f"{path.name}: {path.stat().st_size} bytes")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETS:
        try:
            export(name, folder)
        except Exception as error:  # an exporter that can't write a net is worth a line, no more
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
