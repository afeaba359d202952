# make demo | demo-registry | test | check | nightly | lint | docs | bench | bench-noise: each builds what it needs from the locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# one worker per core is parallel enough: threads of BLAS beside them cost a third more CPU;
# and rewritten tests are kept as bytecode, also where an environment says otherwise
PYTEST := OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
WORKERS ?= 2
OLDER := $(VENV)/pytest7 $(VENV)/pytest8
JS := $(VENV)/sigstore-js/.installed

.PHONY: demo demo-registry test test-spark test-iceberg check nightly exports lint bench bench-noise types imports cover docs lock clean bench-engines

demo: $(STAMP)  ## the main job on real data: train, gate, sign, verify, tamper, refuse
	$(BIN)/aims-gate demo

demo-registry: $(STAMP)  ## a real MLflow server, guard and receiver: one stays, one loses, one is put back
	$(BIN)/aims-gate demo --registry

test: $(STAMP) $(OLDER) $(JS)  ## all tests
	$(PYTEST) -n $(WORKERS) --dist worksteal

check: lint types imports docs cover  ## exactly what CI runs

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

cover: $(STAMP) $(OLDER) $(JS)
	rm -f .coverage .coverage.*
	$(PYTEST) -n $(WORKERS) --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --fail-under=95
	# kms.py needs SoftHSM of the machine's packages
	$(BIN)/coverage report --fail-under=100 --omit='aims_gate/attest/signers/kms.py' --include='aims_gate/judge.py,aims_gate/verdict.py,aims_gate/canonical.py,aims_gate/attest/*,aims_gate/evidence/*'

SITE := $(VENV)/site

docs: $(SITE)/.installed  ## the site in site/, its links checked
	$(SITE)/bin/python tools/site.py

$(SITE)/.installed: locks/docs.txt | $(STAMP)
	$(PYTHON) -m venv --clear $(SITE)
	$(SITE)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

nightly: check exports bench bench-noise  ## the checks, laws on 20 times as many examples, and once more with pandas 3
	HYPOTHESIS_PROFILE=long $(PYTEST) -n $(WORKERS) --dist worksteal
	$(MAKE) test VENV=.venv-pandas3 LOCK=locks/pandas3.txt
	$(MAKE) test-spark VENV=.venv-spark LOCK=locks/spark.txt
	$(MAKE) test-iceberg VENV=.venv-iceberg LOCK=locks/iceberg.txt

test-spark: $(STAMP)  ## frames on a real Spark of this machine (needs Java 17): part of nightly
	AIMS_GATE_REQUIRE=spark $(PYTEST) tests/conformance tests/frames tests/sources/mlflow/test_table_inputs.py -k "frame or ibis or table_digest or check_in_engine or spark"
	HYPOTHESIS_PROFILE=long AIMS_GATE_REQUIRE=spark $(PYTEST) tests/conformance/test_policy_in_engine.py tests/e2e/test_contract_in_engine.py tests/frames/test_spark_that_dies.py -k spark

# what PySpark 3.5 says of itself are no errors of ours
OLDER_SPARK := -W ignore::ResourceWarning -W ignore::DeprecationWarning -W ignore::pytest.PytestUnraisableExceptionWarning

test-iceberg: $(STAMP)  ## versions of Iceberg tables on a real Spark 3.5, and its frames: part of nightly
	AIMS_GATE_REQUIRE=iceberg $(PYTEST) $(OLDER_SPARK) tests/sources/test_table_versions.py
	AIMS_GATE_REQUIRE=spark $(PYTEST) $(OLDER_SPARK) tests/frames tests/conformance -k "spark and not policy"

READERS := $(VENV)/trestle $(VENV)/hf

exports: $(STAMP) $(READERS)  ## what we export, read by the programs that it is for
	PATH="$$PATH:$(CURDIR)/$(VENV)/trestle/bin:$(CURDIR)/$(VENV)/hf/bin" AIMS_GATE_REQUIRE="trestle hf" $(PYTEST) tests/operations/aims/exports

$(READERS): $(VENV)/%: locks/%.txt | $(STAMP)
	$(PYTHON) -m venv --clear $@
	$@/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

bench: $(STAMP)  ## start-up, the guard in MLflow's stores, and whole gates beside plain scripts (ROWS="10000000" REPEAT=1 for the large one)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/guard.py
	$(BIN)/python benchmarks/speed.py $(if $(ROWS),--rows $(ROWS)) $(if $(WAYS),--ways $(WAYS)) --repeat $(or $(REPEAT),3)

bench-noise: $(STAMP)  ## false alarms, power and coverage on simulated data (RUNS=400 for a long run)
	$(BIN)/python benchmarks/noise --runs $(or $(RUNS),50)

bench-engines: $(STAMP)  ## the same gate over Arrow and DuckDB, beside a sample (ROWS=100000000 WAYS=DuckDB REPEAT=1: the long one)
	$(BIN)/python benchmarks/engines.py $(if $(ROWS),--rows $(ROWS)) $(if $(WAYS),--ways $(WAYS)) --repeat $(or $(REPEAT),3)

LOCK ?= locks/dev.txt

# plain --require-hashes without --no-deps fails in pip 23 on extras inside requirements
$(STAMP): $(LOCK) pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aims-gate needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCK)
	$(BIN)/pip check --disable-pip-version-check
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

# other versions of pytest for the tests of the plugin, each in a folder of its own
$(VENV)/pytest%: locks/pytest%.txt | $(STAMP)
	rm -rf $@
	$(BIN)/pip install --quiet --disable-pip-version-check --target $@ --no-deps --require-hashes -r $<
	touch $@

# another reader of Sigstore bundles, where there is npm
$(JS): locks/sigstore-js/package-lock.json | $(STAMP)
	mkdir -p $(@D)
	cp locks/sigstore-js/*.json $(@D)
	if command -v npm >/dev/null; then npm ci --prefix $(@D) --silent --no-audit --no-fund --ignore-scripts --fetch-retries 1 --fetch-timeout 30000 && touch $@ || echo "npm installed nothing: tests with @sigstore/verify skip" >&2; fi

lock: $(STAMP)  ## compile the locks anew: names, versions and hashes only (needs uv)
	$(BIN)/python locks/compile.py

clean:
	rm -rf $(VENV) .venv-pandas3 .venv-spark .site site aims-gate-demo aims-gate-evidence .coverage .coverage.*
