"""Sends requests at their time over kept connections, and measures how well the pace was kept."""
