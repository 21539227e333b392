"""JSON values in Python: frozen trees, how JavaScript prints them, times, and paths into them."""
