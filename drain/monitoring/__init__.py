"""For those with Prometheus and Grafana: the families of /metrics; rules and a dashboard made from them."""
