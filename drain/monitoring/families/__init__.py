"""Every family of /metrics, declared once."""
