"""The conditions: one module a kind, registered once in registry.py."""
