"""A service between Segment and Statsig, both ways: signed webhooks in, a database in the middle, batches out."""
