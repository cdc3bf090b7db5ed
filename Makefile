# Plain `make` lists what there is. Every target does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Django's commands want a key; these never sign anything with it.
KEY := HTTPS=0 SECRET_KEY=never-signs-anything
DYNOXIDE_VERSION := 1.2.1
DYNOXIDE_SHA256 := 80e1ed33e33ec33c7bdcb1779ea09678e5c6f87c5c225f44c2037d2b2ea71164
CSP_EVALUATOR_VERSION := 1.1.8
CSP_EVALUATOR_SHA256 := 2b4f2a30ed67a39908708c05ba559accbad0b5a6c0fa29f1761a641a342fd904
CSP_EVALUATOR := $(VENV)/csp_evaluator/.installed-$(CSP_EVALUATOR_VERSION)
DYNOXIDE := $(VENV)/dynoxide/.installed-$(DYNOXIDE_VERSION)
CATALOGUE := ecokart/locale/de/LC_MESSAGES/django
CODE := ecokart shop adminpanel inventory tests manage.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Running

.PHONY: run
run: $(VENV)/.installed $(VENV)/aws/.installed ## the shop on this machine, with demo data; PORT=8001 moves it
	@exec $(BIN)/python -m ecokart.local

# Testing. Each step is a target of its own, in the order from fast to slow.

.PHONY: test
test: lint types imports translations unit integration coverage proofs attacks container e2e rights rehearse ## everything below, as CI does it

.PHONY: lint
lint: $(VENV)/.installed-dev ## style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(VENV)/.installed-dev ## types (mypy)
	$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/.installed-dev ## who may import whom (import-linter)
	$(BIN)/lint-imports

.PHONY: translations
translations: $(VENV)/.installed-dev gettext ## that no sentence lacks its German, and that what is compiled is up to date
	@rm -rf $(VENV)/translations && mkdir $(VENV)/translations
	@cp -R $(filter-out tests,$(CODE)) templates $(VENV)/translations/
	@cd $(VENV)/translations && $(KEY) ../../$(BIN)/python manage.py makemessages -l de --no-wrap --keep-pot -v 0
	msgcmp $(CATALOGUE).po $(VENV)/translations/ecokart/locale/django.pot
	msgfmt --check -o $(VENV)/translations/django.mo $(CATALOGUE).po
	@msgunfmt $(VENV)/translations/django.mo > $(VENV)/translations/now.po
	@msgunfmt $(CATALOGUE).mo | diff -q $(VENV)/translations/now.po - > /dev/null \
	  || { echo "$(CATALOGUE).mo is out of date: make messages" >&2; exit 1; }

.PHONY: unit
unit: $(VENV)/.installed-dev ## rules, pages and forms, with a database in the same process
	COVERAGE_FILE=$(COVERAGE).unit $(BIN)/pytest tests/unit -m measured --numprocesses=auto $(COVER)
	RECORDING_GOES_ON=1 $(BIN)/pytest tests/unit -m "not measured" --numprocesses=auto

.PHONY: integration
integration: $(VENV)/.installed-dev $(VENV)/aws/.installed $(DYNOXIDE) ## races, keys and indexes, on two emulated DynamoDBs
	@$(MAKE) --jobs=2 --output-sync=target integration-ministack integration-dynoxide

.PHONY: integration-ministack
integration-ministack:
	ENGINE=ministack COVERAGE_FILE=$(COVERAGE).integration $(BIN)/pytest tests/integration $(COVER)

.PHONY: integration-dynoxide
integration-dynoxide:
	ENGINE=dynoxide $(BIN)/pytest tests/integration

# Measured in both, judged together.
COVERAGE := .data/coverage/data
COVER := --cov --cov-report= --cov-fail-under=0

.PHONY: coverage
coverage: $(VENV)/.installed-dev ## that unit and integration together went through every branch of the core
	@$(BIN)/coverage combine --quiet $(COVERAGE).unit $(COVERAGE).integration
	$(BIN)/coverage report

.PHONY: proofs
proofs: $(VENV)/.installed-dev $(VENV)/aws/.installed $(DYNOXIDE) ## that stock is never wrong, small: faults, races, crashes
	$(BIN)/pytest tests/proofs --numprocesses=2

.PHONY: prove
prove: $(VENV)/.installed-dev $(VENV)/aws/.installed $(DYNOXIDE) ## the same at full size, with a table at the end (half an hour); PROOFS="names" for some
	@$(BIN)/python -m tests.proofs $(PROOFS)

.PHONY: attacks
attacks: $(VENV)/.installed-dev $(DYNOXIDE) chromium ## that the doors are locked, small: anything at all sent to every address, and a list of attacks
	$(BIN)/pytest tests/attacks --numprocesses=2

.PHONY: attack
attack: $(VENV)/.installed-dev $(DYNOXIDE) $(CSP_EVALUATOR) $(VENV)/wapiti/.installed chromium ## the same at full size, with tables at the end (20 minutes); ATTACKS="names" for some
	@$(BIN)/python -m tests.attacks $(ATTACKS)

.PHONY: e2e
e2e: $(VENV)/.installed-dev $(VENV)/aws/.installed chromium ## customers and admins in a real browser
	$(BIN)/pytest tests/e2e --numprocesses=2 --dist=loadfile

.PHONY: rights
rights: $(VENV)/.installed-dev ## that the function asked AWS for what its role allows, and for all of that, in the tests before
	@$(BIN)/python -m tests.rights

.PHONY: container
container: $(VENV)/.installed-dev $(VENV)/aws/.installed ## the Dockerfile's steps without Docker, and stopping it under load
	$(BIN)/pytest tests/container

.PHONY: rehearse
rehearse: $(VENV)/.installed-dev $(VENV)/aws/.installed chromium ## a deployment from nothing to nothing, on an emulated AWS
	$(BIN)/pytest tests/rehearsal

# On AWS. The SDK's own variables say which account; docs/deploy.md has the whole story.

.PHONY: deploy
deploy: $(VENV)/.installed-dev ## bring a stage to AWS, or bring it up to date: STAGE=dev
	@$(BIN)/python -m ecokart.aws.deploy deploy $(STAGE) $(OPTIONS)

.PHONY: rollback
rollback: $(VENV)/.installed-dev ## the code of the version before: STAGE=dev
	@$(BIN)/python -m ecokart.aws.deploy rollback $(STAGE)

.PHONY: manage
manage: $(VENV)/.installed-dev ## one of Django's commands on a stage's data: STAGE=dev RUN="prove_stock"
	@$(BIN)/python -m ecokart.aws.deploy manage $(STAGE) $(RUN)

.PHONY: destroy
destroy: $(VENV)/.installed-dev ## take a stage away with all its data: STAGE=dev
	@$(BIN)/python -m ecokart.aws.deploy destroy $(STAGE) $(OPTIONS)

# Measuring

.PHONY: bench
bench: $(VENV)/.installed-dev $(VENV)/aws/.installed $(DYNOXIDE) wrk ## the figures of the docs: cost, speed, popular products, catalogue (half an hour); BENCH="names" for some
	@$(BIN)/python -m benchmarks $(BENCH)

# Making

.PHONY: messages
messages: $(VENV)/.installed-dev gettext ## collect the sentences to translate, compile the translated ones
	$(KEY) $(BIN)/python manage.py makemessages -l de --no-wrap --no-location
	$(KEY) $(BIN)/python manage.py compilemessages -l de -i $(VENV)

.PHONY: pictures
pictures: $(VENV)/.installed-dev ## render the drawings of the demo catalogue
	$(BIN)/python -m inventory.demo.render

.PHONY: image
image: ## the container image
	docker build --tag ecokart .

.PHONY: clean
clean: ## remove what was installed and measured; the shop's data in .data/ stays
	rm -rf $(VENV) staticfiles htmlcov .hypothesis .data/coverage
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find ecokart shop adminpanel inventory tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# What is installed, kept by stamps: a changed list of requirements is installed anew.

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/aws/.installed: requirements-aws.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/aws
	$(VENV)/aws/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-aws.txt
	@touch $@

$(VENV)/wapiti/.installed: requirements-wapiti.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/wapiti
	$(VENV)/wapiti/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-wapiti.txt
	@touch $@

# Google's judge of Content-Security-Policies, from npm's registry like the engine below. Node.js runs it.
$(CSP_EVALUATOR): | $(VENV)/bin/python
	@command -v npm >/dev/null || { $(call install,npm,npm); }
	@rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && npm pack --silent csp_evaluator@$(CSP_EVALUATOR_VERSION) >/dev/null
	@cd $(@D) && echo "$(CSP_EVALUATOR_SHA256)  $$(ls *.tgz)" | sha256sum --check --quiet
	@tar -xzf $(@D)/*.tgz -C $(@D) --strip-components=1 && rm $(@D)/*.tgz
	@touch $@

# The second engine is one program, in npm's registry. It is checked before anything of it is used.
$(DYNOXIDE): | $(VENV)/bin/python
	@command -v npm >/dev/null || { $(call install,npm,npm); }
	@rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && npm pack --silent @dynoxide/linux-x64@$(DYNOXIDE_VERSION) >/dev/null
	@cd $(@D) && echo "$(DYNOXIDE_SHA256)  $$(ls *.tgz)" | sha256sum --check --quiet
	@tar -xzf $(@D)/*.tgz -C $(@D) --strip-components=1 && chmod +x $(@D)/dynoxide && rm $(@D)/*.tgz
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null \
	  || { echo "There is no $(PYTHON). Install Python 3.11 or later, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed, $(PYTHON) is $$($(PYTHON) -V). Name another one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { $(call install,python3-venv,Python's venv module); }
	$(PYTHON) -m venv $(VENV)

.PHONY: gettext
gettext:
	@command -v msgcmp >/dev/null && command -v xgettext >/dev/null || { $(call install,gettext,GNU gettext); }

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { $(call install,chromium,Chromium); }

.PHONY: wrk
wrk:
	@command -v wrk >/dev/null || { $(call install,wrk,wrk); }

# $(call install,<Debian's package>,<its name for people>): install it where we may, else say that it is missing.
install = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing $(2)"; \
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1) >/dev/null; \
  else \
    echo "$(2) is missing. On Debian or Ubuntu: sudo apt-get install $(1)" >&2; exit 1; \
  fi
