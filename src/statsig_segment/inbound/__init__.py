"""From Segment to Statsig: skip, map and convert calls, by the reference or by its fast lane."""
