"""A reader's file with numbers of 32 bits in, the same with kernels and matrices in 16 bits out, and back.

A Cast behind each of them says that it is computed with in 32 bits; the runtime carries it out once, when it loads the
file. So the file is half as large, and reading is as fast on a processor that knows no half precision.
"""

import numpy as np
import onnx
from onnx import numpy_helper

SUFFIX = ".half"


def halve(model: onnx.ModelProto, keep: frozenset[str] = frozenset()) -> onnx.ModelProto:
    """A copy whose tensors of two dimensions and more, all but `keep`, are in 16 bits; vectors stay as they are.

    Raises ValueError for a number that 16 bits cannot hold.
    """
    out = widen(model)
    casts = []
    for tensor in out.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2 or tensor.name in keep:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ValueError(f"{name} holds {np.abs(values).max():g}, more than 16 bits can")
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + SUFFIX))
        casts.append(onnx.helper.make_node("Cast", [name + SUFFIX], [name], name + ".cast", to=onnx.TensorProto.FLOAT))
    nodes = list(out.graph.node)
    del out.graph.node[:]
    out.graph.node.extend(casts + nodes)
    return out


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose tensors are all in 32 bits under their own names, without Casts; any reader's file is taken."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    for tensor in out.graph.initializer:
        if tensor.name.endswith(SUFFIX):
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name.removesuffix(SUFFIX)))
    nodes = [node for node in out.graph.node if not (node.op_type == "Cast" and node.input[0].endswith(SUFFIX))]
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return out
