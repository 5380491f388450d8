"""Rules for Prometheus and a dashboard for Grafana, made from the catalogue of families.

`python -m drain.monitoring.exports` writes them to deploy/. No process of Tailrace imports this.
"""
