"""An encoder that rounds as its int8 copy will, so that training settles where rounding costs least.

Products round, as nearly all of the loss is theirs; tables of embeddings don't. A batch has one scale for all of its
articles, where the copy has one for each of them, so it rounds a little less finely than the copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..windows import Batch
from .model import Encoder
from .quantize import even_factor

_LEVELS = 255


def round_rows(weight: Tensor) -> Tensor:
    """Round a weight, (outputs, inputs), to 256 levels a row; gradients pass as if it was not rounded."""
    with torch.no_grad():
        low = weight.amin(dim=1).clamp(max=0)
        scale = ((weight.amax(dim=1).clamp(min=0) - low) / _LEVELS).clamp(min=1e-12)
        zero = (-low / scale).round().to(torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, 0, _LEVELS)


def round_all(values: Tensor) -> Tensor:
    """Round activations to 256 levels over all of them; gradients pass as if they were not rounded."""
    with torch.no_grad():
        low = values.amin().clamp(max=0)
        scale = ((values.amax().clamp(min=0) - low) / _LEVELS).clamp(min=1e-12)
        zero = (-low / scale).round().to(torch.int32)
    return torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, _LEVELS)


def _products(encoder: Encoder) -> list[nn.Linear]:
    return [module for module in encoder.backbone.modules() if isinstance(module, nn.Linear)]


@torch.no_grad()
def even_factors(encoder: Encoder, batches: Iterable[Batch]) -> dict[nn.Linear, Tensor]:
    """Return by what each product's inputs are divided, (inputs,), as `quantize` evens them out on these batches."""
    found: dict[nn.Linear, Tensor] = {}
    keep = torch.ones((), dtype=torch.bool)

    def watch(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.Linear)
        rows = inputs[0]
        # A pooler's product sees one row of a window; its result is not used, and not in the exported graph.
        if rows.ndim == 3:
            reached = rows[keep].abs().amax(dim=0)
            found[module] = torch.maximum(found.get(module, reached), reached)

    encoder.eval()
    hooks = [module.register_forward_pre_hook(watch) for module in _products(encoder)]
    device = encoder.shapes.weight.device
    try:
        for batch in batches:
            ids, shapes, mask = (torch.from_numpy(x).to(device) for x in (batch.ids, batch.shapes, batch.mask))
            keep = mask > 0
            encoder(ids, shapes, mask)
    finally:
        for hook in hooks:
            hook.remove()
    return {
        module: torch.from_numpy(even_factor(reached.cpu().numpy())).to(device) for module, reached in found.items()
    }


@contextmanager
def rounded(encoder: Encoder, factors: dict[nn.Linear, Tensor]) -> Iterator[None]:
    """Let the products of an encoder round weights and inputs inside of the block, each with its factor.

    The parameters stay what they are; only what is computed with them differs.
    """

    def forward(module: nn.Linear, factor: Tensor, values: Tensor) -> Tensor:
        return functional.linear(round_all(values / factor), round_rows(module.weight * factor), module.bias)

    for module, factor in factors.items():
        module.forward = lambda values, module=module, factor=factor: forward(module, factor, values)  # type: ignore
    try:
        yield
    finally:
        for module in factors:
            del module.forward
