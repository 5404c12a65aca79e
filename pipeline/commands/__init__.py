"""The sub-commands of `twosessions`, one module a group: argument parsing only."""
