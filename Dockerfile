# Twinfall as a service: `docker build -t twinfall .`, or through compose.yaml.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /wheel

FROM python:3.12-slim
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    pip install --no-cache-dir /wheel/*.whl "uvloop>=0.21" "httptools>=0.6" "pillow>=11.0" \
    && useradd --create-home twinfall && install -d -o twinfall /data
USER twinfall
# Compiles the cascade into the image, so that the first start is as quick as any other.
RUN python -c "from twinfall.analytics import cutsets, warm; warm(); cutsets.warm()"
WORKDIR /data
ENV TWINFALL_DIR=/data TWINFALL_HOST=0.0.0.0 TWINFALL_PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=5 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["twinfall"]
CMD ["serve"]
