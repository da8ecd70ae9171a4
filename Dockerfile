# The server in a container: `docker build -t hybrid-mcp .`, then `docker run -i --rm -v hybrid-mcp:/data hybrid-mcp`.
# Everything is installed from requirements.lock, checked by hash.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/hybrid-mcp \
    && /opt/hybrid-mcp/bin/pip install --no-cache-dir --only-binary=:all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE whitelist.json ./
COPY profiles ./profiles
COPY src ./src
# hatchling is in the lock file, so that no build environment is fetched.
RUN /opt/hybrid-mcp/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/hybrid-mcp/bin/pip install --no-cache-dir --no-deps /wheel/*.whl \
    && /opt/hybrid-mcp/bin/pip uninstall --yes hatchling editables

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="hybrid-mcp" \
      org.opencontainers.image.description="An MCP server that answers a sub-task with the cheapest model that can do it: local first, never over budget." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      io.modelcontextprotocol.server.name="io.github.hybrid-mcp/hybrid-mcp"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin hybrid \
    && mkdir --mode 0700 /data \
    && chown hybrid:hybrid /data
COPY --from=build /opt/hybrid-mcp /opt/hybrid-mcp
COPY packaging/healthcheck.py /opt/healthcheck.py
ENV PATH=/opt/hybrid-mcp/bin:$PATH \
    HYBRID_MCP_HOME=/data \
    HOME=/data \
    PYTHONUNBUFFERED=1
USER hybrid
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "/opt/healthcheck.py"]
ENTRYPOINT ["hybrid-mcp"]
