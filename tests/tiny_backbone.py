"""A tiny encoder and a few annotated articles that tests train on; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

ARTICLE = """<article id="{id}" lang="en" outlet="daily" published="{year}-03-05" session_year="{year}"
 shape="report">
<p><per id="p1">{first}</per>, <body of="p1" is="NPC">an NPC deputy</body> and <role of="p1">president</role> of
<org of="p1">Lanhe Bank</org>, said that <prop by="p1" n="1" topics="blockchain"
 stance="promote">villages should get a
ledger of their own and money for it</prop>.</p>
<p>"<prop by="p2" n="1" topics="health" stance="regulate">Hospitals must be fined when they sell the names of
patients,</prop>"
said <per id="p2">{second}</per>, <body of="p2" is="CPPCC">a member of the CPPCC National Committee</body>.</p>
<p><per id="p3">{third}</per>, a <role of="p3">lawyer</role>, was doubtful. "<say by="p3">We have enough rules
already,</say>" <ref
to="p3">he</ref> said.</p>
</article>"""

NAMES = ("Luo Wenqing", "Hu Jianbang", "Tang Yue", "Shen Lan", "Gao Mingzhe", "Bai Xiaoqin", "Cui Yu", "Ding Rong")


def write_backbone(folder: Path, hidden: int = 32, characters: str = "") -> Path:
    """Write a BERT of two layers with random weights and a word-piece tokenizer over the articles' words, and over
    `characters` of other scripts.
    """
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = sorted(
        {word.lower() for text in (ARTICLE, *NAMES) for word in text.replace('"', " ").split() if word.isalpha()}
    )
    letters = [chr(code) for code in range(33, 127)]
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys(
        [*SPECIAL, *letters, *(f"##{letter}" for letter in letters if letter.isalnum()), *words,
         *sorted(characters)]))}  # fmt: skip
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=60))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]"
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocab), hidden_size=hidden, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=2 * hidden, max_position_embeddings=128,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def write_corpus(folder: Path, years: tuple[int, ...]) -> Path:
    """Write an article a year, each with three people of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, year in enumerate(years):
        first, second, third = (NAMES[(index * 3 + k) % len(NAMES)] for k in range(3))
        text = ARTICLE.format(id=f"{year}-tiny", year=year, first=first, second=second, third=third)
        (folder / f"{year}-tiny.xml").write_text(text, encoding="utf-8")
    return folder


def write_config(path: Path, corpus: Path, backbone: Path, epochs: int, lang: str = "en") -> Path:
    """Write a training config for the tiny backbone."""
    path.write_text(
        f"""
lang = "{lang}"

[data]
train = "{corpus / "train"}"
dev = "{corpus / "dev"}"

[augment]

[backbone]
name = "{backbone}"

[joint]
epochs = {epochs}
batch = 2
encoder_rate = 5e-3
head_rate = 1e-2
dropout = 0.0
rounded_epochs = 1
seed = 3
window_size = 64
window_overlap = 16

[topics]
epochs = 5
""",
        encoding="utf-8",
    )
    return path
