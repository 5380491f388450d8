"""Frames come in here: a module a protocol, and beside them what all protocols share.

registry.py lists the protocols; endpoint.py is their HTTP side; frame.py is what a protocol's parser
gives; ingest.py makes it safe.
"""
