"""The parts of the store: the rows of articles, delegates and proposals; `pipeline.store` alone writes by them."""
