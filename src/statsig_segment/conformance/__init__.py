"""Check implementations in any language against the test vectors."""
