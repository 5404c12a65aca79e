"""Coverage of China's Two Sessions in, structured records of who proposes what out."""

__version__ = "0.1.0"
