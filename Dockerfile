# The service in an image: the wheel is built in one stage, and only it goes into the next.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY consent_ledger consent_ledger
COPY projections projections
COPY api api
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CONSENT_LEDGER_HOST=0.0.0.0 \
    CONSENT_LEDGER_PORT=8000
COPY constraints.txt /tmp/constraints.txt
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --constraint /tmp/constraints.txt /wheels/*.whl \
    && rm /tmp/constraints.txt \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ledger
USER 10001
WORKDIR /
EXPOSE 8000
STOPSIGNAL SIGTERM
# Ready, not just alive: a service without its database answers nothing but 503.
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['CONSENT_LEDGER_PORT'] + '/readyz', timeout=5)"]
ENTRYPOINT ["consent-ledger"]
CMD ["serve"]
