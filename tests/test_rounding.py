"""Training with the rounding of int8: it is the rounding that the exported copy has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from pipeline.training.export import export_onnx
from pipeline.training.model import Encoder
from pipeline.training.quantize import even_factor, farthest, quantize
from pipeline.training.rounding import even_factors, round_all, round_rows, rounded
from pipeline.windows import SHAPES, Batch
from tests.tiny_backbone import write_backbone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A tiny encoder, one channel of which reaches far."""
    model = Encoder.load(str(write_backbone(tmp_path_factory.mktemp("backbone"))))
    with torch.no_grad():
        model.backbone.encoder.layer[0].output.LayerNorm.weight[3] = 20
        # Tables that int8 holds exactly: products alone are rounded.
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.weight.copy_(round_all(module.weight))
    return model.eval()


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    """Pages of different lengths, the ends of some rows padded."""
    generator = np.random.default_rng(5)
    found = []
    for length in (20, 33):
        mask = np.ones((3, length), np.int64)
        mask[1, length - 6 :] = 0
        ids, shapes = (generator.integers(1, most, (3, length)) for most in (90, SHAPES))
        found.append(Batch(ids, shapes, mask))
    return found


def vectors(encoder: Encoder, batch: Batch) -> np.ndarray:
    with torch.no_grad():
        return encoder(*(torch.from_numpy(x) for x in (batch.ids, batch.shapes, batch.mask))).numpy()[batch.mask > 0]


def exported_vectors(path: Path, batch: Batch) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": batch.ids, "shapes": batch.shapes, "mask": batch.mask})[0][batch.mask > 0]


def test_rounding_has_256_levels_and_passes_gradients() -> None:
    values = torch.linspace(-1, 3, 5_000).reshape(50, 100).requires_grad_()
    once = round_all(values)
    assert len(once.detach().unique()) == 256
    assert float((once - values).detach().abs().max()) <= 4 / 255 / 2 + 1e-6
    once.sum().backward()
    assert values.grad is not None
    assert bool((values.grad == 1).all())
    rows = torch.stack([torch.linspace(0, 2, 900), torch.linspace(-25, 75, 900)])
    by_row = round_rows(rows)
    assert float((by_row[0] - rows[0]).abs().max()) <= 2 / 255 / 2 + 1e-6
    assert [len(row.unique()) for row in by_row] == [256, 256]


def test_nothing_but_zero_stays_zero() -> None:
    assert not round_all(torch.zeros(3, 4)).any()
    assert not round_rows(torch.zeros(3, 4)).any()


def test_weights_are_rounded_as_in_the_exported_file(tmp_path: Path) -> None:
    linear = torch.nn.Linear(40, 7).eval()
    torch.onnx.export(linear, (torch.zeros(2, 3, 40),), str(tmp_path / "full.onnx"), dynamo=True, verbose=False)
    quantize_dynamic(
        str(tmp_path / "full.onnx"), str(tmp_path / "small.onnx"),
        weight_type=QuantType.QUInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"],
    )  # fmt: skip
    held = {w.name: onnx.numpy_helper.to_array(w) for w in onnx.load(tmp_path / "small.onnx").graph.initializer}
    (levels,) = (value for value in held.values() if value.dtype == np.uint8 and value.ndim == 2)
    (zero,) = (value for value in held.values() if value.dtype == np.uint8 and value.ndim == 1)
    (scale,) = (value for name, value in held.items() if name.endswith("_scale") and value.shape == zero.shape)
    stored = (levels.astype(np.float32) - zero) * scale
    assert np.allclose(round_rows(linear.weight).detach().numpy(), stored.T, atol=1e-6)


def test_factors_are_those_of_the_export(encoder: Encoder, batches: list[Batch], tmp_path: Path) -> None:
    export_onnx(encoder, tmp_path / "full.onnx")
    wanted = [even_factor(reached) for reached in farthest(onnx.load(tmp_path / "full.onnx"), batches).values()]
    found = [factor.numpy() for factor in even_factors(encoder, batches).values()]
    assert max(factor.max() for factor in found) > 3
    for factor in found:
        assert any(factor.shape == other.shape and np.allclose(factor, other, rtol=1e-3) for other in wanted)


def test_vectors_are_nearer_to_those_of_int8(encoder: Encoder, batches: list[Batch], tmp_path: Path) -> None:
    export_onnx(encoder, tmp_path / "full.onnx")
    quantize(tmp_path / "full.onnx", tmp_path / "small.onnx", batches)
    factors = even_factors(encoder, batches)
    # Alone, for a scale holds for all that is read together, the ends of padded rows too.
    page = Batch(*(array[:1] for array in (batches[1].ids, batches[1].shapes, batches[1].mask)))
    small, exact = exported_vectors(tmp_path / "small.onnx", page), vectors(encoder, page)
    with rounded(encoder, factors):
        found = vectors(encoder, page)
    assert np.linalg.norm(found - small) < 0.75 * np.linalg.norm(exact - small)
    assert np.array_equal(vectors(encoder, page), exact)
