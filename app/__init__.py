"""What every process of Tailrace shares: settings, the message, the log, the metrics store."""
