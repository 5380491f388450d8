"""The message log on Redis Streams."""
