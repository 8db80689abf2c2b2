"""Segments, scores, phases: what we conclude of a lead."""
