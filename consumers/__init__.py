"""The workers: `metrics` and `replay` of the Procfile."""
