"""int8 copies of encoders: channels that reach far cost the others nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.training.quantize import even_out, farthest, quantize
from pipeline.windows import Batch

WIDTH = 8
FAR = 5


@pytest.fixture
def model() -> onnx.ModelProto:
    """An encoder in small: a table of rows, one channel of which is large, two products of them, added up, and again
    a large channel and a product.
    """
    generator = np.random.default_rng(3)
    table = generator.normal(size=(20, WIDTH)).astype(np.float32)
    far = np.where(np.arange(WIDTH) == FAR, 60, 1).astype(np.float32)
    first, second, third = (generator.normal(size=(WIDTH, WIDTH)).astype(np.float32) for _ in range(3))
    for weight in (first, second, third):
        weight[FAR] /= 60
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["near"]),
        helper.make_node("Mul", ["near", "far"], ["rows"]),
        helper.make_node("MatMul", ["rows", "first"], ["a"]),
        helper.make_node("MatMul", ["rows", "second"], ["b"]),
        helper.make_node("Add", ["shapes", "mask"], ["unused"]),
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["sum", "far"], ["again"]),
        helper.make_node("MatMul", ["again", "third"], ["vectors"]),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["w", "p"]) for name in ("ids", "shapes", "mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["w", "p", WIDTH])]
    named = (("table", table), ("first", first), ("second", second), ("third", third), ("far", far))
    weights = [numpy_helper.from_array(v, n) for n, v in named]
    graph = helper.make_graph(nodes, "small", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


BATCH = Batch(np.arange(20).reshape(2, 10), np.zeros((2, 10), np.int64), np.ones((2, 10), np.int64))


def run(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["vectors"], {"ids": BATCH.ids, "shapes": BATCH.shapes, "mask": BATCH.mask})[0]


def test_the_farthest_is_told_by_channel(model: onnx.ModelProto) -> None:
    reached = farthest(model, [BATCH])["rows"]
    table = numpy_helper.to_array(model.graph.initializer[0]) * numpy_helper.to_array(model.graph.initializer[4])
    assert reached == pytest.approx(np.abs(table).max(axis=0))
    masked = Batch(BATCH.ids, BATCH.shapes, np.eye(2, 10, dtype=np.int64))
    reached = farthest(model, [masked])["rows"]
    assert reached == pytest.approx(np.abs(table[[0, 11]]).max(axis=0))
    assert farthest(model, []) == {}


def test_evening_out_changes_no_result(model: onnx.ModelProto) -> None:
    before = run(model)
    even_out(model, farthest(model, [BATCH]))
    onnx.checker.check_model(model)
    assert run(model) == pytest.approx(before, rel=1e-4, abs=1e-5)
    found = farthest(model, [BATCH])
    assert set(found) == {"rows_even", "again_even"}
    for reached in found.values():
        assert reached.max() <= 2.01 * np.median(reached)


def test_a_far_channel_costs_the_others_nothing(model: onnx.ModelProto, tmp_path: Path) -> None:
    onnx.save(model, tmp_path / "full.onnx")
    exact = run(model)
    errors = []
    for name, batches in (("plain", ()), ("even", (BATCH,))):
        quantize(tmp_path / "full.onnx", tmp_path / f"{name}.onnx", batches)
        errors.append(float(np.abs(run(onnx.load(tmp_path / f"{name}.onnx")) - exact).mean()))
    assert errors[1] < 0.3 * errors[0]


def test_a_weight_of_two_activations_stays(model: onnx.ModelProto) -> None:
    model.graph.node.insert(2, helper.make_node("Neg", ["rows"], ["others"]))
    node = model.graph.node[4]
    node.input[0], node.input[1] = "others", "first"
    before = run(model)
    assert set(farthest(model, [BATCH])) == {"again"}
    even_out(model, farthest(model, [BATCH]))
    assert run(model) == pytest.approx(before, rel=1e-4, abs=1e-5)
