"""What comes in: what every receiver shares, and one module a protocol."""
