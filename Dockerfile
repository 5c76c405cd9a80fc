# One image for the commands and the workers; docs/decisions/0016-image.md says why it looks like this.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

# /etc/pip.conf, where a mirror of PyPI is needed: --secret id=pip.conf,src=FILE. It leaves no trace in the image.
COPY requirements.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m venv --without-pip /opt/wikiq \
    && pip --python /opt/wikiq/bin/python install --require-hashes --no-deps --only-binary :all: --no-compile -r requirements.lock \
    && find /opt/wikiq -type d -name tests -prune -exec rm -r {} + \
    && python -m compileall -qf --invalidation-mode unchecked-hash /opt/wikiq \
    && mkdir -p /dependencies/opt \
    && mv /opt/wikiq /dependencies/opt/ \
    && ln -s /dependencies/opt/wikiq /opt/wikiq \
    && find /dependencies -exec touch --no-dereference --date=@0 {} +

COPY requirements-build.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY worker worker
COPY cli cli
# hadolint ignore=DL3013
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/wikiq/bin/python install --no-index --no-deps --no-compile --no-warn-script-location \
        --root /application --find-links dist wikiq \
    && PYTHONPATH=$(echo /application/opt/wikiq/lib/python3.*/site-packages) pip --python /opt/wikiq/bin/python check \
    && python -m compileall -qf --invalidation-mode unchecked-hash -s /application /application \
    && find /application -exec touch --no-dereference --date=@0 {} +

FROM ${PYTHON_IMAGE}
# Python's own modules come without bytecode, and a read-only container could keep none; nothing is installed into it either.
RUN rm -r /usr/local/bin/pip* /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/pip* \
    && python -m compileall -qf --invalidation-mode unchecked-hash -x '/(idlelib|tkinter|turtledemo)/' /usr/local/lib/python3.* \
    && install -d -o 65532 -g 65532 /data \
    && find /usr/local /data -mmin -60 -exec touch --no-dereference --date=@0 {} +
COPY --from=build /dependencies/ /
COPY --from=build /application/ /

ENV PATH=/opt/wikiq/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    WIKIQ_DATA_DIR=/data
WORKDIR /data
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["wikiq"]
CMD ["--help"]

ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="wikiq" \
      org.opencontainers.image.description="The most and least requested Wikipedia articles of each day, from Wikimedia's hourly pageview dumps" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
