# The engine under its watchdog, as docs/SERVICE.md says: not root, nothing of its root written, its state in a volume.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY pyproject.toml requirements.lock ./

# What the program needs, and not its tests: by name from pyproject.toml, by version and sum from the lock. The pip of the
# lock comes first: older ones take no sums from constraints. The program's own environment has none.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      >needed.txt \
 && sed -n '/^pip==/,/[^\\]$/p' requirements.lock >pip.txt \
 && echo setuptools >builds.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --no-deps -r pip.txt \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r builds.txt -c requirements.lock \
 && python -m venv --without-pip /opt/keyturn \
 && /opt/build/bin/pip --python /opt/keyturn/bin/python install --require-hashes --only-binary :all: \
      -r needed.txt -c requirements.lock

COPY setup.py LICENSE README.md app.py ./
COPY console ./console
COPY core ./core
COPY state ./state
COPY widgets ./widgets
COPY docs/keyturn.1 ./docs/keyturn.1

# COMMIT is what `keyturn --version` says beside its version: --build-arg COMMIT=$(git rev-parse --short HEAD)
ARG COMMIT=""
RUN if [ -n "$COMMIT" ]; then echo "$COMMIT" >state/_commit.txt; fi \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/build/bin/pip --python /opt/keyturn/bin/python install --no-deps /dist/*.whl \
 && /opt/build/bin/pip --python /opt/keyturn/bin/python check \
 && /opt/keyturn/bin/python -m compileall -q /opt/keyturn/lib


FROM python:3.11.14-slim-bookworm

RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin keyturn \
 && install -d -o keyturn -g keyturn -m 0700 /data
COPY --from=build /opt/keyturn /opt/keyturn

ENV PATH=/opt/keyturn/bin:$PATH \
    HOME=/data \
    KEYTURN_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
STOPSIGNAL SIGTERM

# Healthy is an engine that runs and may trade: one that is halted, killed or read-only is not.
HEALTHCHECK --interval=30s --timeout=10s --start-period=360s --retries=3 CMD ["keyturn", "status"]

ENTRYPOINT ["keyturn"]
CMD ["engine", "watch"]
