"""Receivers of frames: one module per protocol, and what all protocols share.

registry.py lists the protocols; endpoint.py is their HTTP side; frame.py is what a protocol's parser
returns; ingest.py makes it durable.
"""
