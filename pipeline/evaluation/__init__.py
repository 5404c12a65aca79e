"""The parts of the evaluation: gold, predictions, metrics, intervals, and how they are shown."""
