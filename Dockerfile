# Two stages: the first has pip and its caches, the second what runs.
FROM python:3.11-slim AS build
COPY requirements.txt requirements-fast.txt /
# --build-arg REQUIREMENTS=requirements-fast.txt adds the faster Kafka client (KAFKA_CLIENT=confluent).
ARG REQUIREMENTS=requirements.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /requirements.txt -r "/$REQUIREMENTS"

FROM python:3.11-slim
RUN useradd --system --no-create-home --uid 10001 tailrace
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
WORKDIR /srv/tailrace
COPY app app
COPY drain drain
COPY consumers consumers
COPY demo demo
USER tailrace
EXPOSE 5000
CMD ["gunicorn", "--config", "python:drain.server", "drain:create_app()"]
