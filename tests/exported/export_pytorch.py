"""Small nets as PyTorch's two exporters write them: seeded weights, one file for each net and exporter.

    pip install torch onnx onnxscript
    python tests/exported/export_pytorch.py [FOLDER]

`ts` files come from the exporter based on TorchScript, `dynamo` files from the one based on torch.export.
Not part of the tests: they read the files, which lie beside this script.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

FOLDER = Path(__file__).parent / "files"


class Residual(nn.Module):
    """Convolutions with batch norm, a residual block, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.body = nn.Sequential(
            nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Dropout(), nn.Linear(8, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = torch.relu(x + self.body(x))
        return self.head(self.pool(x).flatten(1))


class MobileBlock(nn.Module):
    """A block of MobileNetV3: expand, depthwise, squeeze and excite, project."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Sequential(
            nn.Conv2d(4, 16, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish()
        )
        self.deep = nn.Sequential(
            nn.Conv2d(16, 16, 5, 1, 2, groups=16, bias=False), nn.BatchNorm2d(16), nn.Hardswish()
        )
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 8, 1), nn.ReLU(), nn.Conv2d(8, 16, 1), nn.Hardsigmoid()
        )  # fmt: skip
        self.project = nn.Sequential(nn.Conv2d(16, 4, 1, bias=False), nn.BatchNorm2d(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.deep(self.expand(x))
        return x + self.project(y * self.excite(y))


class Recurrent(nn.Module):
    """A recurrent net over features, and a classifier on its last state."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU], **more: Any) -> None:
        super().__init__()
        self.cell = kind(10, 12, batch_first=True, **more)
        self.head = nn.Linear(24 if more.get("bidirectional") else 12, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, _ = self.cell(x)
        return torch.softmax(self.head(y[:, -1]), dim=-1)


class Classifier(nn.Module):
    """Tokens embedded, a transformer encoder layer, the mean over the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(40, 16)
        self.places = nn.Parameter(torch.randn(1, 12, 16))
        self.encoder = nn.TransformerEncoderLayer(
            16, 2, 32, activation="gelu", batch_first=True, dropout=0.1
        )
        self.head = nn.Linear(16, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.places[:, : ids.shape[1]]
        return self.head(self.encoder(x).mean(dim=1))


class Attention(nn.Module):
    """Attention written out by hand, as many repositories do."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, t, 3, 4, c // 4).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (c // 4) ** -0.5).softmax(dim=-1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(n, t, c))


class Upsampling(nn.Module):
    """Down and up again: a transposed convolution, interpolation, concatenation, padding."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1, padding_mode="reflect")
        self.down = nn.Conv2d(6, 8, 3, 2, 1)
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.last = nn.Conv2d(20, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = nn.functional.silu(self.first(x))
        b = nn.functional.leaky_relu(self.down(a))
        wide = nn.functional.interpolate(b, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.sigmoid(self.last(torch.cat([a, self.up(b), wide], dim=1)))


class Signal(nn.Module):
    """1-D convolutions with dilation, group norm and chunks: a gated residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(6, 12, 3, padding=2, dilation=2)
        self.norm = nn.GroupNorm(2, 12)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.norm(self.conv(x)).chunk(2, dim=1)
        y = x + torch.tanh(a) * torch.sigmoid(b)
        return self.head(nn.functional.max_pool1d(y, 2).amax(dim=-1))


@dataclass(frozen=True)
class Net:
    """`dynamic`: names of open dimensions of the input, by axis."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    tokens: int = 0  # the input holds integers below this
    dynamic: Mapping[int, str] = field(default_factory=dict)
    half: bool = False

    def example(self) -> torch.Tensor:
        if self.tokens:
            return torch.randint(0, self.tokens, self.shape)
        x = torch.randn(self.shape)
        return x.half() if self.half else x


NETS: Mapping[str, Net] = {
    "residual": Net(Residual, (1, 3, 16, 16)),
    "residual_batch": Net(Residual, (2, 3, 16, 16), dynamic={0: "batch"}),
    "residual_half": Net(Residual, (1, 3, 16, 16), half=True),
    "mobile_block": Net(MobileBlock, (1, 4, 12, 12)),
    "lstm": Net(lambda: Recurrent(nn.LSTM), (1, 9, 10)),
    "lstm_bidirectional": Net(lambda: Recurrent(nn.LSTM, bidirectional=True, num_layers=2), (1, 5, 10)),
    "gru": Net(lambda: Recurrent(nn.GRU), (1, 9, 10)),
    "gru_time": Net(lambda: Recurrent(nn.GRU), (2, 9, 10), dynamic={0: "batch", 1: "time"}),
    "classifier": Net(Classifier, (1, 12), tokens=40),
    "attention": Net(Attention, (1, 7, 16)),
    "attention_time": Net(Attention, (1, 7, 16), dynamic={1: "time"}),
    "upsampling": Net(Upsampling, (1, 1, 12, 12)),
    "signal": Net(Signal, (1, 6, 20)),
}  # fmt: skip


def settled(net: Net) -> nn.Module:
    """A net with seeded weights whose batch norms have seen data."""
    torch.manual_seed(1)
    module = net.make()
    if not net.tokens:
        module.train()
        with torch.no_grad():
            for _ in range(20):
                module(torch.randn((8, *net.shape[1:])))
    return (module.half() if net.half else module).eval()


def export(name: str, dynamo: bool, folder: Path) -> None:
    net = NETS[name]
    path = folder / f"torch_{name}_{'dynamo' if dynamo else 'ts'}.onnx"
    module, example = settled(net), net.example()
    more: dict[str, Any] = {"dynamo": dynamo, "input_names": ["x"], "output_names": ["y"]}
    if net.dynamic and dynamo:
        more["dynamic_shapes"] = ({k: torch.export.Dim(v) for k, v in net.dynamic.items()},)
    elif net.dynamic:
        more["dynamic_axes"] = {"x": dict(net.dynamic)}
    if dynamo:
        more["external_data"] = False
    torch.onnx.export(module, (example,), str(path), **more)
    model = onnx.load(path)
    for node in model.graph.node:  # where in the exporting script a node comes from
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    onnx.save(model, path)
    print(f"{path.name}: {path.stat().st_size} bytes, opset {model.opset_import[0].version}")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETS:
        for dynamo in (False, True):
            try:
                export(name, dynamo, folder)
            except (
                Exception
            ) as error:  # an exporter that can't write a net is worth a line, no more
                print(
                    f"{name}, dynamo={dynamo}: {type(error).__name__}: {str(error).splitlines()[0]}"
                )


if __name__ == "__main__":
    main()
