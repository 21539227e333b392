"""What several test files need: each helper stands once, here."""
