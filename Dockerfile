# syntax=docker/dockerfile:1
# Two stages: the first builds an environment from the lock file, the second only carries it.
# The image's name is in deploy/images.env, which `make up` reads.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock ./
# google-re2 and rocksdict come as wheels; nothing is compiled here.
RUN python -m venv /opt/belfry \
 && /opt/belfry/bin/pip install --only-binary google-re2,rocksdict --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY connectors connectors
COPY engine engine
COPY notifiers notifiers
COPY runtime runtime
RUN /opt/belfry/bin/pip install --no-deps .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /var/lib/belfry --create-home belfry
COPY --from=build /opt/belfry /opt/belfry
COPY rules /etc/belfry/rules
ENV PATH=/opt/belfry/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/belfry
VOLUME /var/lib/belfry
EXPOSE 8750
ENTRYPOINT ["belfry"]
CMD ["--help"]
