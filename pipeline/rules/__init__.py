"""The rule stages: general patterns from a lexicon, kept as the measured baseline and for lists."""
