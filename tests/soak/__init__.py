"""`python -m tests.soak --minutes 60`: real and hostile senders while every process is killed in turn."""
