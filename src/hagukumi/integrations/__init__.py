"""The machine's doors."""
