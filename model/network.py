"""The reader as a torch module: an ONNX file in, a module that trains out, and back into the same file.

The architecture is PP-OCRv6 small's recognizer (PaddleOCR, Apache-2.0): a convolutional backbone of depth-wise blocks
that reduces 48 rows to one and the width eightfold, two transformer blocks over the width, one linear layer over the
alphabet. Training changes numbers and never the graph, so an export is the base file with other numbers in it:
the shipped file keeps the speed and the input convention of the base, and nothing has to be traced.
"""

from collections.abc import Iterator

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from model.half import widen

LOOKALIKES = "lookalikes"
"""Name of the file's fixed matrix behind the softmax."""


class Squeeze(nn.Module):
    """Channel attention: every channel is scaled by what the whole crop says (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // 4, 1)
        self.expand = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        mean = x.mean((2, 3), keepdim=True)
        out: Tensor = x * F.hardsigmoid(self.expand(F.relu(self.reduce(mean))))
        return out


class Block(nn.Module):
    """A depth-wise 3 x 3, then two 1 x 1 with twice the channels between; halves the height where it widens."""

    def __init__(self, channels: int, out: int | None = None, squeeze: bool = False) -> None:
        super().__init__()
        self.residual = out is None
        stride = 1 if self.residual else (2, 1)
        self.spatial = nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels)
        self.squeeze = Squeeze(channels) if squeeze else nn.Identity()
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.narrow = nn.Conv2d(2 * channels, out or channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = self.squeeze(self.spatial(x))
        y = self.narrow(F.gelu(self.widen(x)))
        out: Tensor = x + y if self.residual else y
        return out


class Transformer(nn.Module):
    """Attention over the columns, then a two-layer perceptron, each behind its own norm."""

    def __init__(self, size: int, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.mix = nn.LayerNorm(size), nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.norm2, self.up, self.down = nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        n, t, size = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (n, heads, t, size / heads) each
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, size)
        x = x + self.mix(seen)
        out: Tensor = x + self.down(F.silu(self.up(self.norm2(x))))
        return out


class Network(nn.Module):
    """Crops to log probabilities: (n, 3, 48, w) float in [-1, 1] to (n, w // 8, 1 + alphabet), blank first.

    `lookalikes`, shape (classes, 1 + alphabet), says which classes of the last layer count for which character.
    """

    lookalikes: Tensor

    def __init__(self, lookalikes: Tensor) -> None:
        super().__init__()
        self.register_buffer("lookalikes", lookalikes, persistent=False)
        self.stem1 = nn.Conv2d(3, 48, 3, 2, padding=1)
        self.stem2a = nn.Conv2d(48, 24, 2)
        self.stem2b = nn.Conv2d(24, 48, 2)
        self.stem3 = nn.Conv2d(96, 48, 3, 2, padding=1)
        self.stem4 = nn.Conv2d(48, 96, 1)
        self.stage1 = nn.Sequential(Block(96, squeeze=True), Block(96), Block(96), Block(96, 192))
        self.stage2 = nn.Sequential(*(Block(192, squeeze=i % 2 == 0) for i in range(6)), Block(192, 384))
        self.stage3 = nn.Sequential(Block(384, squeeze=True), Block(384))
        self.skip, self.skip_norm = nn.Conv2d(384, 120, 1, bias=False), nn.BatchNorm2d(120)
        self.neck, self.neck_norm = nn.Conv2d(384, 120, 1, bias=False), nn.BatchNorm2d(120)
        self.along = nn.Conv2d(120, 120, (1, 7), padding=(0, 3), groups=120, bias=False)
        self.along_norm = nn.BatchNorm2d(120)
        self.context = nn.Sequential(Transformer(120), Transformer(120))
        self.norm = nn.LayerNorm(120)
        self.head = nn.Linear(120, lookalikes.shape[0])

    def train(self, mode: bool = True) -> "Network":
        """Batch statistics stay the base's: small batches of one kind of field would pull them away."""
        super().train(mode)
        for norm in (self.skip_norm, self.neck_norm, self.along_norm):
            norm.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = F.relu(self.stem1(x))  # (n, 48, 24, w / 2)
        y = F.relu(self.stem2a(F.pad(x, (0, 1, 0, 1))))
        y = F.relu(self.stem2b(F.pad(y, (0, 1, 0, 1))))
        x = torch.cat((F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 1), y), 1)
        x = F.relu(self.stem4(F.relu(self.stem3(x))))  # (n, 96, 12, w / 4)
        x = self.stage3(self.stage2(self.stage1(x)))  # (n, 384, 3, w / 4)
        x = F.avg_pool2d(x, (3, 2))  # (n, 384, 1, w / 8)
        skip = F.silu(self.skip_norm(self.skip(x)))
        x = F.silu(self.neck_norm(self.neck(x)))
        x = x + F.silu(self.along_norm(self.along(x)))
        columns = self.norm(self.context(x.squeeze(2).transpose(1, 2)))  # (n, w / 8, 120)
        scores = self.head(columns + skip.squeeze(2).transpose(1, 2))
        with torch.autocast(x.device.type, enabled=False):  # probabilities need all their digits
            seen = scores.float().softmax(-1) @ self.lookalikes
        out: Tensor = seen.clamp_min(1e-30).log()
        return out


def network(model: onnx.ModelProto) -> Network:
    """The module that computes the logarithm of what the file computes; ValueError for another architecture."""
    model = widen(model)
    merges = [numpy_helper.to_array(t) for t in model.graph.initializer if t.name == LOOKALIKES]
    if not merges:
        raise ValueError(f"this ONNX file is no reader: it has no tensor named {LOOKALIKES}")
    module = Network(torch.from_numpy(merges[0].copy()))
    with torch.no_grad():
        for values, tensor, transposed in _pairs(module, model):
            array = torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()
            values.copy_((array.T if transposed else array).reshape(values.shape))
    return module


def store(module: Network, model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the file with the module's numbers in it, in 32 bits."""
    out = widen(model)
    for values, tensor, transposed in _pairs(module, out):
        array = values.detach().float().contiguous().cpu().numpy()
        array = (array.T if transposed else array).reshape(tuple(tensor.dims))
        tensor.CopyFrom(numpy_helper.from_array(array.astype("float32"), tensor.name))
    return out


def _pairs(module: Network, model: onnx.ModelProto) -> Iterator[tuple[Tensor, onnx.TensorProto, bool]]:
    """Every trained tensor of the module beside its initializer in the file, and whether that one is transposed.

    Layers of a kind stand in the same order in both; shapes are checked, so a different file cannot pass for ours.
    """
    layers = list(_layers(model))
    for kind, names in {
        nn.Conv2d: ("Conv", "weight", "bias"),
        nn.Linear: ("MatMul", "weight", "bias"),
        nn.LayerNorm: ("LayerNorm", "weight", "bias"),
        nn.BatchNorm2d: ("BatchNormalization", "weight", "bias", "running_mean", "running_var"),
    }.items():
        ours = [m for m in module.modules() if type(m) is kind]
        theirs = [tensors for op, tensors in layers if op == names[0]]
        if len(ours) != len(theirs):
            raise ValueError(f"the file has {len(theirs)} layers of kind {names[0]}, the reader has {len(ours)}")
        for layer, tensors in zip(ours, theirs, strict=True):
            values = [v for v in (getattr(layer, name) for name in names[1:]) if v is not None]
            for value, tensor in zip(values, tensors, strict=True):
                transposed = kind is nn.Linear and value.dim() == 2
                if value.numel() != int(torch.tensor(tensor.dims).prod()):
                    raise ValueError(f"{tensor.name} has shape {list(tensor.dims)}, expected {list(value.shape)}")
                yield value, tensor, transposed


def _layers(model: onnx.ModelProto) -> Iterator[tuple[str, list[onnx.TensorProto]]]:
    """(operator, its initializers) in graph order; a bias may be an input of the operator or of the Add behind it."""
    tensors = {t.name: t for t in model.graph.initializer if t.name != LOOKALIKES}
    users = {name: node for node in reversed(model.graph.node) for name in node.input}
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        held = [tensors[name] for name in node.input if name in tensors]
        if node.op_type == "BatchNormalization":
            yield "BatchNormalization", held
        elif node.op_type == "LayerNormalization":
            yield "LayerNorm", held
        elif (node.op_type in ("Conv", "MatMul") and held) or (
            node.op_type == "Mul" and held and held[0].dims and "Div" in [makers.get(name) for name in node.input]
        ):
            behind = users.get(node.output[0])
            if len(held) == 1 and behind is not None and behind.op_type == "Add":
                held += [tensors[name] for name in behind.input if name in tensors]
            yield "LayerNorm" if node.op_type == "Mul" else node.op_type, held
