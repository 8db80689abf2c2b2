"""The desk: handovers and deals."""
