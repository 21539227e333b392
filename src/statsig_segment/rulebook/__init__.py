"""The rules and codes as tables, from which the docs, the hints and the playground are made."""
