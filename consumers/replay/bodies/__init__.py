"""Compares the answers of two targets: what differs beyond the noise between two of one of them."""
