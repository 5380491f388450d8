# What runs is in `production`, the last stage and so the default; `development` adds the demo's target and
# traffic for docker-compose.yml. The digest is that of the tag's index, which has amd64 and arm64 alike.
FROM python:3.11.16-slim-trixie@sha256:e41613d42d4891e4930f79523f93f81bbc7632584ec65e36ab055f41a800b41e AS python

# Has pip's caches, which the others do not need.
FROM python AS build
COPY requirements.txt requirements-fast.txt /
# --build-arg REQUIREMENTS=requirements-fast.txt adds the faster Kafka client (KAFKA_CLIENT=confluent).
ARG REQUIREMENTS=requirements.txt
# Wheels alone: what builds a package from source would itself be neither pinned nor hashed.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary=:all: \
    -r /requirements.txt -r "/$REQUIREMENTS"

FROM python AS base
RUN useradd --system --no-create-home --uid 10001 tailrace
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
WORKDIR /srv/tailrace
COPY app app
COPY drain drain
COPY consumers consumers
USER tailrace

FROM build AS build-development
COPY requirements-demo.txt /
# The embedded Redis, so that `python -m demo` runs here as well.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary=:all: \
    -r /requirements-demo.txt

FROM base AS development
COPY --from=build-development /venv /venv
COPY demo demo
COPY servers servers
COPY Procfile Procfile

FROM base AS production
EXPOSE 5000
CMD ["gunicorn", "--config", "python:drain.gunicorn.config", "drain:create_app()"]
