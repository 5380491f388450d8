"""The drain: `web` of the Procfile. POST /logs, the page, the API, health and metrics."""
