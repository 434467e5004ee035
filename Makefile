# ERP Hub from the keyboard. `make help` lists what there is to say.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
UV := .venv/bin/uv

# One Python everywhere: 3.13, as in Lambda. Looked for on the PATH, among pyenv's, and with uv.
FIND_PYTHON = for p in $${PYTHON313:-} python3.13 $$HOME/.pyenv/versions/3.13*/bin/python3.13 "$$(uv python find --no-python-downloads 3.13 2>/dev/null)"; do \
	  if [ -n "$$p" ] && "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; then echo "$$p"; exit 0; fi; done; \
	echo 'Python 3.13 was not found. Install it (pyenv install 3.13, uv python install 3.13, or your system package python3.13 with python3.13-venv), or set PYTHON313=/path/to/python3.13.' >&2; exit 1

.PHONY: help
help: ## What can be said here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments ----------------------------------------------------------------------------------------------------

.PHONY: venv tools
venv: .venv/.ready ## The project's Python environment in .venv
tools: .venv-aws/.ready .venv-sam/.ready .venv-scan/.ready ## Environments of the emulator, sam and checkov

.venv/.ready: requirements/dev.txt requirements/uv.txt
	@python=$$($(FIND_PYTHON)); test -x .venv/bin/python || "$$python" -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt \
	  || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(PY) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "erphub-tree.pth").write_text(f"{pathlib.Path.cwd() / "layers/core"}\n{pathlib.Path.cwd()}\n")'
	@touch $@

.venv-%/.ready: requirements/%.txt .venv/.ready
	@python=$$($(FIND_PYTHON)); test -x .venv-$*/bin/python || "$$python" -m venv .venv-$*
	@$(UV) pip install --quiet --python .venv-$*/bin/python --require-hashes -r $< \
	  || .venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PHONY: lock
lock: .venv/.ready ## Write the lock files again from pyproject.toml
	@$(PY) -m local.lock

# --- the hub on this machine -----------------------------------------------------------------------------------------
# STACK_DIR=... keeps a second stack apart from the first one in .local.

.PHONY: up down destroy sync logs demo
up: venv tools ## Start the whole hub here: local AWS, deployed stack, stand-in ERPs, people (STACK_DIR=… for a second one)
	@$(PY) -m local.stack up

down: ## End what `make up` started; data stay for the next time
	@test ! -x $(PY) || $(PY) -m local.stack down

destroy: ## End what `make up` started and forget its data
	@test ! -x $(PY) || $(PY) -m local.stack destroy

sync: ## Bring changed Python code into the running functions within seconds
	@$(PY) -m local.stack sync

logs: ## What the functions logged lately (FUNCTION=ConnectionsApi for one, MINUTES=15)
	@$(PY) -m local.stack logs --minutes $(or $(MINUTES),15) $(if $(FUNCTION),--function $(FUNCTION))

demo: venv tools ## Connect an ERP, import its ledger and show what arrived (SAFT=file for a real one)
	@$(PY) -m local.demo $(if $(SAFT),--saft "$(SAFT)")
