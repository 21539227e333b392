"""Statsig to Segment: the reference, and its fast lane."""
