"""Servers and traffic for development alone: the demo, the benchmarks and the tests share them."""
