# syntax=docker/dockerfile:1
#
# CPU:   docker build -t cleanplate .
# CUDA:  docker build -t cleanplate:cuda --build-arg DEVICE=cuda .
#        docker run --gpus all --network host cleanplate:cuda
#
# WebRTC media flows over UDP ports that are chosen per connection: --network host is the simple
# way to let it through, and http://127.0.0.1:8080 is then the page, as without Docker. To serve
# others, give it an address and a certificate or tokens, by the environment:
#        -e CLEANPLATE_HOST=0.0.0.0 -e CLEANPLATE_CERT=... -e CLEANPLATE_KEY=...

ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ARG DEVICE=cpu
# The package index with the build of torch that is wanted, where it is not pip's usual one. On
# x86-64 the usual one carries the CUDA build: it runs on a CPU too, but is some GB larger. The
# project of torch names its index of CPU builds.
ARG TORCH_INDEX=
RUN python -m venv /opt/cleanplate
ENV PATH=/opt/cleanplate/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY constraints.txt ./
# First and alone: this layer is the largest and changes the least.
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)"
COPY . .
RUN if [ "$DEVICE" = cpu ]; then extras="[openvino]"; else extras=""; fi \
    && pip install --constraint constraints.txt ".$extras"

FROM python:${PYTHON}
ARG DEVICE=cpu
# What the NVIDIA container runtime puts into the container; without that runtime they do nothing.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,video,utility
COPY --from=build /opt/cleanplate /opt/cleanplate
ENV PATH=/opt/cleanplate/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --create-home --uid 10001 cleanplate
USER cleanplate
WORKDIR /home/cleanplate
EXPOSE 8080
# The certificate is another host's name here, so only the answer is looked at.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-c", "\
import os, ssl, urllib.request\n\
scheme = 'https' if os.environ.get('CLEANPLATE_CERT') else 'http'\n\
port = os.environ.get('CLEANPLATE_PORT', '8080')\n\
context = ssl._create_unverified_context()\n\
urllib.request.urlopen(f'{scheme}://127.0.0.1:{port}/healthz', timeout=4, context=context)"]
ENTRYPOINT ["cleanplate"]
CMD ["serve"]
