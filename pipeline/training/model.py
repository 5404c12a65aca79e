"""The joint model in PyTorch: one encoder, and the heads that `pipeline/heads.py` runs with NumPy."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedModel

from ..heads import (
    BODY_CLASSES,
    MENTION_TAGS,
    PARENT_FEATURES,
    SAME_FEATURES,
    SOURCE_FEATURES,
    STATEMENT_TAGS,
    VERDICT_FEATURES,
)
from ..windows import SHAPES


class Encoder(nn.Module):
    """A transformer whose word embeddings get an embedding of case and layout added."""

    def __init__(self, backbone: PreTrainedModel, use_shapes: bool = True) -> None:
        super().__init__()
        self.backbone = backbone
        self.use_shapes = use_shapes
        self.shapes = nn.Embedding(SHAPES, backbone.config.hidden_size)
        nn.init.zeros_(self.shapes.weight)

    @classmethod
    def load(cls, name: str, use_shapes: bool = True) -> Encoder:
        """Load a backbone from a local folder or a hub id.

        Dropout of attention is off: the fused attention of CPUs works without it only, and the heads drop out anyway.
        """
        config = AutoConfig.from_pretrained(name)
        if hasattr(config, "attention_probs_dropout_prob"):
            config.attention_probs_dropout_prob = 0.0
        return cls(AutoModel.from_pretrained(name, config=config), use_shapes)

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        """Return the vectors, (windows, pieces, width), of ids, shape ids and mask, each (windows, pieces)."""
        words = self.backbone.get_input_embeddings()(ids)
        if self.use_shapes:
            words = words + self.shapes(shapes)
        return self.backbone(inputs_embeds=words, attention_mask=mask).last_hidden_state


def two_layers(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Return a multi-layer perceptron with one hidden layer."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(approximate="tanh"), nn.Dropout(dropout), nn.Linear(hidden, outputs)
    )


class PairScorer(nn.Module):
    """Scores pairs of spans: a perceptron over both projected vectors, their product and the pair's features."""

    def __init__(self, left: int, right: int, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.left = nn.Linear(left, width)
        self.right = nn.Linear(right, width)
        self.features = nn.Linear(features, width)
        self.output = two_layers(width, width, 1, dropout)
        self.product = nn.Linear(width, width, bias=False)

    def forward(self, left: Tensor, right: Tensor, features: Tensor) -> Tensor:
        """Return (pairs,) scores of left (pairs, left), right (pairs, right) and features (pairs, features)."""
        a, b = self.left(left), self.right(right)
        hidden = a + b + self.product(a * b) + self.features(features)
        return self.output(functional.gelu(hidden, approximate="tanh")).squeeze(-1)


class Heads(nn.Module):
    """All heads; the names of the parameters are those in the shipped files."""

    def __init__(self, width: int, topics: int, pair_width: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        mention, statement = 2 * width, 5 * width
        self.dropout = nn.Dropout(dropout)
        self.mention_tags = nn.Linear(width, len(MENTION_TAGS))
        self.statement_tags = nn.Linear(width, len(STATEMENT_TAGS))
        self.body = nn.Linear(mention, len(BODY_CLASSES))
        self.parent = PairScorer(mention, mention, PARENT_FEATURES, pair_width, dropout)
        self.source = PairScorer(statement, mention, SOURCE_FEATURES, pair_width, dropout)
        self.same = PairScorer(statement, statement, SAME_FEATURES, pair_width, dropout)
        self.verdict = two_layers(statement + mention + VERDICT_FEATURES, pair_width, 1, dropout)
        self.topics = two_layers(2 * width, 2 * pair_width, topics, dropout)
        # Beside the perceptron, the cosine of a record's mean vector with a vector of each topic, which starts as
        # that of
        # the topic's definition: what a sentence encoder knows of meaning serves from the first step.
        self.topic_labels = nn.Linear(width, topics)
        self.topic_scale = nn.Parameter(torch.tensor([10.0]))
        nn.init.constant_(self.topic_labels.bias, -4.0)
        last = self.topics[3]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.stance = two_layers(2 * width, pair_width, 2, dropout)
        # The score of "nobody" beside the candidates of a pair.
        self.parent_none = nn.Linear(mention, 1)
        self.source_none = nn.Linear(statement, 1)

    def topic_logits(self, rows: Tensor) -> Tensor:
        """Return (records, topics) logits of record vectors, (records, 2 × width)."""
        mean = functional.normalize(rows[:, : rows.shape[1] // 2], dim=1)
        labels = functional.normalize(self.topic_labels.weight, dim=1)
        return self.topics(rows) + self.topic_scale * (mean @ labels.T) + self.topic_labels.bias

    def start_topics(self, vectors: Tensor) -> None:
        """Start the topics' vectors from those of their definitions, (topics, width)."""
        with torch.no_grad():
            self.topic_labels.weight.copy_(functional.normalize(vectors, dim=1))
