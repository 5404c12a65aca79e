"""An exported encoder in int8: weights by channel, activations at run time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..windows import Batch

# A channel that reaches farther than so many times the median one sets the scale for all: it is made smaller.
_FAR = 2.0


def quantize(source: Path, target: Path, batches: Iterable[Batch] = ()) -> None:
    """Write an int8 copy of an ONNX encoder.

    `batches` are what the encoder reads; they show which channels of the activations stand out. Those are divided
    before a product and the weights multiplied instead, for a single scale holds all channels of a text (the idea of
    SmoothQuant, Xiao et al. 2023). Without batches the channels stay as they are. Weights are unsigned as activations
    are: on processors without VNNI the products of unsigned and signed bytes overflow.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        try:
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        except Exception:
            prepared = source
        model = onnx.load(prepared)
        even_out(model, farthest(model, batches))
        onnx.save(model, Path(folder) / "even.onnx")
        quantize_dynamic(
            str(Path(folder) / "even.onnx"), str(target), weight_type=QuantType.QUInt8, per_channel=True,
            op_types_to_quantize=["MatMul", "Gather", "Gemm"],
        )  # fmt: skip


def _products(model: Any) -> dict[str, list[Any]]:
    """Return the products with weights of their own, by the name of the activation that they take.

    A weight that serves two activations can't follow both; activations with such a one are left out.
    """
    weights = {weight.name for weight in model.graph.initializer}
    found: dict[str, list[Any]] = {}
    holders: dict[str, set[str]] = {}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            found.setdefault(node.input[0], []).append(node)
            holders.setdefault(node.input[1], set()).add(node.input[0])
    return {name: nodes for name, nodes in found.items() if all(len(holders[node.input[1]]) == 1 for node in nodes)}


def farthest(model: Any, batches: Iterable[Batch]) -> dict[str, NDArray[np.float32]]:
    """Return the largest magnitude, (channels,), of each activation that products with fixed weights take."""
    import onnxruntime
    from onnx import ModelProto, helper

    watched = ModelProto()
    watched.CopyFrom(model)
    names = list(_products(model))
    if not names:
        return {}
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, NDArray[np.float32]] = {}
    for batch in batches:
        values = session.run(names, {"ids": batch.ids, "shapes": batch.shapes, "mask": batch.mask})
        for name, value in zip(names, values, strict=True):
            reached = np.abs(value[batch.mask > 0]).max(axis=0)
            found[name] = np.maximum(found.get(name, reached), reached)
    return found


def even_factor(reached: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by what to divide channels of which each reaches so far; at least 1 each."""
    return np.maximum(1, reached / max(_FAR * float(np.median(reached)), 1e-6)).astype(np.float32)


def even_out(model: Any, reached: dict[str, NDArray[np.float32]]) -> None:
    """Divide the channels of activations that reach far, and multiply their rows of the weights; in place, and without
    a change of what the model gives.
    """
    from onnx import helper, numpy_helper

    weights = {weight.name: weight for weight in model.graph.initializer}
    for name, nodes in _products(model).items():
        if name not in reached:
            continue
        factor = even_factor(reached[name])
        if (factor == 1).all():
            continue
        for weight in {node.input[1] for node in nodes}:
            values = numpy_helper.to_array(weights[weight]) * factor[:, None]
            weights[weight].CopyFrom(numpy_helper.from_array(values.astype(np.float32), weight))
        model.graph.initializer.append(numpy_helper.from_array(1 / factor, f"{name}_factor"))
        divide = helper.make_node("Mul", [name, f"{name}_factor"], [f"{name}_even"], name=f"{name}_divide")
        # Inserted in place: nodes written back as a whole would be copies, and the products at hand count no more.
        order = list(model.graph.node)
        model.graph.node.insert(min(order.index(node) for node in nodes), divide)
        for node in nodes:
            node.input[0] = f"{name}_even"
