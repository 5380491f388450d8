"""What every process of Tailrace shares: settings, the message, the log, the metrics store."""

__version__ = "0.1.0"
