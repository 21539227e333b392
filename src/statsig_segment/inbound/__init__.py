"""Segment to Statsig: skip, map, convert; the reference, and its fast lane."""
