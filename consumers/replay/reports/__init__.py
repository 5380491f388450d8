"""A run's result for people and machines: terminal, JSON, Markdown, HTML, JUnit; one module a form."""
