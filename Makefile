# Everything a developer, a tester or CI types. `make help` is drawn from the comments behind `##`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
TEST_STAMP := $(VENV)/.set-up-tests
RUN_ROOT ?= var/workbench
DEMO_ROOT ?= var/demo-$(shell date +%Y%m%d-%H%M%S)
T ?= tests

.PHONY: help setup run demo test test-sandbox full check fix bench bench-sdc crash attack clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv with everything pinned by hash; as root on Debian also the system packages needed

LOCKS := requirements.lock kernels/requirements.lock hub_config/package-lock.json
KERNELS := $(wildcard kernels/*.py kernels/pyproject.toml kernels/workbench/*.py kernels/workbench_server/*.py kernels/kernelspec/* kernels/lab/*.json kernels/start/* kernels/tutorials/*)

# The kernels' side is installed as a copy, which must not go stale.
$(STAMP): $(LOCKS) $(KERNELS) .ci/setup.sh pyproject.toml
	@bash .ci/setup.sh
	@touch $@

$(TEST_STAMP): $(STAMP)
	@bash .ci/setup.sh tests
	@touch $@

run: $(STAMP) ## set up, then start the workbench on made-up data; prints its address and the log-ins
	$(BIN)/enclave workbench --root $(RUN_ROOT)

demo: $(STAMP) ## the whole job for 151,000 made-up persons, years 2016 and 2017 (many minutes)
	$(BIN)/enclave demo --preset demo --years 2 --root $(DEMO_ROOT)

# Four at a time on two cores: much of the time is spent waiting for servers and pages.
test: $(TEST_STAMP) ## set up, then run the tests; T=path for some of them
	$(BIN)/python -m pytest $(T) -q -m "not full" -n 4 --dist loadfile --no-loadscope-reorder

full: $(TEST_STAMP) ## every figure of every claim: deep, random where useful, slow
	$(BIN)/python -m pytest tests -q -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/enclave demo --preset demo --years 2 --root $(DEMO_ROOT)

check: $(STAMP) ## format, lint, types, import contracts, generated parts of the documents; changes nothing
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python .ci/generate.py --check

fix: $(STAMP) ## format, mend what can be mended, write the generated parts of the documents
	$(BIN)/ruff format -q .
	$(BIN)/ruff check -q --fix .
	$(BIN)/python .ci/generate.py

bench: $(STAMP) ## ratios against peers, in one run each
	$(BIN)/python -m tests.bench.bench_vault
	$(BIN)/python -m tests.bench.bench_tables
	$(BIN)/python -m tests.bench.bench_login 5
	$(BIN)/python -m tests.bench.bench_ten 10

bench-sdc: $(STAMP) ## cells lost and seconds beside pytauargus, on the same made-up quarters (half an hour)
	test -x .venv-bench/bin/python || python3 -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --require-hashes -r tests/bench/sdc/requirements.lock
	$(BIN)/python -m tests.bench.sdc.bench .venv-bench/bin/python

crash: $(TEST_STAMP) ## the reduced crash rig: kill and I/O errors on the path out
	$(BIN)/python -m pytest tests/crash -q -m "not full"

test-sandbox: $(TEST_STAMP) ## the escape battery: what a kernel or a server might try, one line each
	$(BIN)/python -m tests.sandbox.battery

attack: $(TEST_STAMP) ## the reduced attack rig
	$(BIN)/python -m pytest tests/attack -q -m "not full" -n 2

clean: ## remove what can be made again; never a house that holds data
	rm -rf $(VENV) .venv-analyst .venv-bench hub_config/node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
