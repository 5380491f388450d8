"""Where messages go: one module a kind of target, and registry.py, which lists them."""
