# Two commands matter: `make demo` and `make test`. Both install what they need into .venv and may be repeated.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install demo test chaos soak fuzz bench docs site clean

help:           ## say what can be made
	@sed -n 's/^\([a-z]*\):.*##/\1 \t/p' $(MAKEFILE_LIST)

install: $(VENV)/installed        ## install Lamplighter into .venv

demo: install   ## the whole city on embedded parts, until Ctrl-C (options: make demo ARGS="--for 60s")
	@$(BIN)/lamplighter demo $(ARGS)

test: $(VENV)/installed-dev       ## every check, from formatting to acceptance tests on real parts
	@.ci/test

chaos: $(VENV)/installed-dev      ## kill, cut and fill everything, and count what was lost (options: make chaos ARGS="--list")
	@$(BIN)/python -m tests.chaos $(ARGS)

soak: $(VENV)/installed-dev       ## twenty minutes of a town of 5,000 devices that is struck in every way (ARGS="--seed 7")
	@$(BIN)/python -m tests.soak $(ARGS)

fuzz: $(VENV)/installed-dev       ## bend what a broker, devices and clients might send and try it (ARGS="--for 60s")
	@$(BIN)/python -m tests.fuzz.broker_bytes $(ARGS)
	@$(BIN)/python -m tests.fuzz.payloads $(ARGS)
	@$(BIN)/python -m tests.fuzz.http_api $(ARGS)

bench: $(VENV)/installed-dev      ## measure it beside its peers on this machine, and write docs/performance.md
	@$(BIN)/python -m bench $(ARGS)

docs: install   ## write the pages that are written from the code
	@$(BIN)/python -m lamplighter.docs

site: $(VENV)/installed-dev        ## build the pages of docs/ into build/site, warnings being errors
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky docs build/site
	@echo "Open build/site/index.html."

clean:          ## remove what was made, but no data
	rm -rf $(VENV) build tests/timescale/node_modules

$(BIN)/python:
	@.ci/venv $(VENV)

$(VENV)/installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing Lamplighter into $(VENV) …" >&2
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo "Installing the tools of the tests into $(VENV) …" >&2
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
