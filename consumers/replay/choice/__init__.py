"""Which requests are sent, how and where to, and what is left out: rules, guards, coverage."""
