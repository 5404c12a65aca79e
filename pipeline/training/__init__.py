"""What trains the shipped models; needs the `train` extra, which running them does not."""
