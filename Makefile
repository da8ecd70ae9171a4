# Needs Python >= 3.11 with pip, and make. Everything is installed into .venv from the lock files, checked by hash.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := src tests bench packaging
CONFORMANCE := .cache/conformance/node_modules/.bin/conformance
CLIENTS := $(patsubst tests/clients/%.txt,.cache/clients/%/installed,$(wildcard tests/clients/*.txt))
MCPB := .cache/mcpb/node_modules/.bin/mcpb
RESOLVE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --no-header --python-version 3.11
COMPILE := $(RESOLVE) pyproject.toml

.PHONY: demo test test-long test-ollama test-packaging test-browser test-conformance test-clients mcpb check bench \
	bench-money bench-overhead bench-cascade lock clean

demo: .venv/runtime        ## see the main job: a real MCP session, a real model on this machine
	@$(BIN)/hybrid-mcp demo

test: .venv/dev            ## all tests, the embedded model really run
	$(BIN)/pytest -n logical --dist worksteal

test-long: .venv/dev       ## all tests, with every example: a thousand schedules of faults, each start from nothing
	HYBRID_MCP_TEST_LONG=1 $(BIN)/pytest -n logical --dist worksteal

test-ollama: .venv/dev     ## the tests against a real Ollama 0.9.3, which is fetched (Linux x86_64 only)
	@start="$$($(BIN)/python tests/install_ollama.py .cache/ollama)"; \
	env $$start >.cache/ollama/server.log 2>&1 & server=$$!; trap "kill $$server" EXIT; \
	for _ in $$(seq 60); do \
		$(BIN)/python -c "import socket; socket.create_connection(('127.0.0.1', 21434), 1)" 2>/dev/null && break; \
		sleep 0.5; \
	done; \
	HYBRID_MCP_TEST_OLLAMA=http://127.0.0.1:21434 $(BIN)/pytest -m ollama

test-packaging: .venv/dev $(MCPB)  ## the bundle for Claude Desktop: packed, unpacked, and its server run by uv
	HYBRID_MCP_TEST_MCPB=$(CURDIR)/$(MCPB) $(BIN)/pytest -m packaging

mcpb: .venv/bin/python $(MCPB)  ## dist/hybrid-mcp.mcpb, the bundle for Claude Desktop (needs Node and npm)
	$(BIN)/python packaging/mcpb/stage.py .cache/bundle
	$(MCPB) validate .cache/bundle/manifest.json
	@mkdir -p dist
	$(MCPB) pack .cache/bundle dist/hybrid-mcp.mcpb

$(MCPB):
	npm install --prefix .cache/mcpb --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
		@anthropic-ai/mcpb@2.1.2

test-browser: .venv/dev    ## the budget's page in a real Chromium (needs Node 20 with npm, and `chromium`)
	@mkdir -p .cache/browser && cp tests/browser/package.json .cache/browser/
	@npm install --prefix .cache/browser --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error
	node --test tests/browser/face.test.mjs

test-conformance: .venv/dev $(CONFORMANCE)  ## the protocol's own suite and the Inspector (need npm), in both eras
	$(BIN)/python -m tests.conformance

$(CONFORMANCE):
	npm install --prefix .cache/conformance --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
		--loglevel error @modelcontextprotocol/conformance@0.2.0-alpha.12 @modelcontextprotocol/inspector@2.12.0

test-clients: .venv/dev $(CLIENTS)  ## fastmcp, langchain, pydantic-ai and openai-agents, each in an environment of its own
	$(BIN)/python -m tests.clients

.cache/clients/%/installed: tests/clients/%.txt | .venv/dev
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .cache/clients/$*
	$(BIN)/uv pip install --quiet --require-hashes --python .cache/clients/$*/bin/python -r $<
	@touch $@

check: .venv/dev           ## lint, types, layers
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench: .venv/dev           ## measure; the figures go into docs/benchmarks.md
	$(BIN)/python -m bench

bench-money: .venv/dev     ## prove on a provider's own bill that no cent over the cap is spent, beside LiteLLM's Router
	$(BIN)/python -m bench.money

bench-overhead: .venv/dev  ## what a call takes beside the model: next to the smallest tool, LiteLLM's Router and Portkey's gateway
	$(BIN)/python -m bench.overhead

bench-cascade: .venv/dev   ## how well a weak local model is escalated to a stronger one: two real ones, 877 questions, 1.2 GB fetched once
	$(BIN)/python -m bench.cascade

lock: .venv/dev            ## resolve the dependencies anew
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group dev -o requirements-dev.lock
	for wanted in tests/clients/*.in; do $(RESOLVE) $$wanted -o $${wanted%.in}.txt || exit; done

clean:
	rm -rf .venv .cache dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "hybrid-mcp needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing into .venv (once)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "installing the development tools into .venv (once)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
