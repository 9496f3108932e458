# The front door for people: `make help` says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CARGO ?= cargo
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help demo demo-c install uninstall test test-core test-c test-python test-node test-kotlin test-swift test-secrets header doc bench endurance fuzz lint fmt deny clean bench-peers catalogue test-fuzz test-supply-chain sbom audit conformance

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 24

demo: ## Run the whole journey against a bank on this machine (BROWSER=1: click through the consent page yourself)
	@$(CARGO) run --quiet -p cbpii --example demo -- $(if $(BROWSER),--browser)

demo-c: ## The same journey from C (BROWSER=1: click through the consent page yourself)
	@$(CARGO) build --quiet -p cbpii-ffi -p cbpii-sandbox
	@ffi/examples/demo $(if $(BROWSER),--browser)

install: ## Install the C library (PREFIX=/usr/local, DESTDIR=…; FEATURES=aws-lc-rs; BUILT=folder: what is already built)
	FEATURES="$(FEATURES)" ffi/install "$(PREFIX)" $(if $(DESTDIR),--destdir "$(DESTDIR)") $(if $(BUILT),--built "$(BUILT)")

uninstall: ## Remove what install put there, with the same PREFIX and DESTDIR
	ffi/install "$(PREFIX)" $(if $(DESTDIR),--destdir "$(DESTDIR)") --uninstall

test: lint test-core test-c test-python test-node test-kotlin test-swift conformance test-fuzz test-supply-chain doc ## Everything there is: lint, tests, documentation

test-core: ## The tests of the core library and of the sandbox bank, and a short pass with AWS-LC
	tests/on-ring test --all-targets --no-fail-fast
	tests/on-ring test --doc
	$(CARGO) test --locked -p cbpii --no-default-features --features aws-lc-rs,encrypted-keys --test journey --test errors

test-c: ## The tests of the C library: in C, sanitized, under valgrind; examples; installation
	ffi/tests/run

header: ## Write the C header anew from its sources
	CBPII_WRITE_HEADER=1 $(CARGO) test -p cbpii-ffi --test header

catalogue: ## Write the page of the error catalogue anew from the library
	CBPII_WRITE_CATALOGUE=1 $(CARGO) test -p cbpii --test book catalogue

test-python: ## The Python package: build it and run all of its checks
	python/run-tests

test-node: ## The Node package: build it and run all of its checks
	node/run-tests

test-kotlin: ## The Kotlin module: build it, run all of its checks against the jar, print the library's size
	mobile/kotlin/run-tests

test-swift: ## The Swift package, as root: in a folder with Debian's newer release, made once (3 GB)
	mobile/swift/run-tests

test-secrets: ## The tests of all languages with full logging, whose output is searched for every secret that was used
	tests/secrets/run

endurance: ## 200,000 checks at a bank with faults, deadlines, 1,000 kills: ten minutes (SEED=number)
	$(CARGO) run --release -p cbpii-endurance -- run $(SEED)

test-fuzz: ## A short run of each fuzz target (SECONDS=30)
	tests/fuzz/run --seconds $(or $(SECONDS),30)

test-supply-chain: deny ## Licences and sources of the dependencies, and a list of them that is valid and complete
	tests/sbom/run

conformance: ## Every case of tests/vectors in every language, compared fact by fact (LANGUAGES="c python": some of them)
	tests/conformance/run $(LANGUAGES)

doc: ## The documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

bench: ## Measure speed and memory; prints ratios
	tests/bench/run

bench-peers: ## Every door beside what its users have today, with nginx as the server; then growth (ROUNDS=5, CHARTS=folder)
	tests/bench/peers

lint: ## Formatting and clippy, with either crypto library
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path tests/fuzz/Cargo.toml --check
	tests/on-ring clippy --all-targets -- -D warnings
	$(CARGO) clippy --workspace -- -D warnings
	RUSTFLAGS="--cfg fuzzing" $(CARGO) clippy --locked --manifest-path tests/fuzz/Cargo.toml --all-targets -- -D warnings

fmt: ## Format the sources
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path tests/fuzz/Cargo.toml

fuzz: ## Throw random input at every parser (CASES=20000 per property, SECONDS=30 per fuzz target)
	PROPTEST_CASES=$(or $(CASES),20000) $(CARGO) test -p cbpii --lib -- panic
	PROPTEST_CASES=$(or $(CASES),20000) $(CARGO) test -p cbpii --test vectors_properties
	tests/fuzz/run --seconds $(or $(SECONDS),30)

sbom: ## List what each thing that ships is made of: target/sbom/*.cdx.json (CycloneDX)
	tests/sbom/run --only-write

deny: ## Licences, bans and sources of all dependencies
	tests/sbom/deny licenses bans sources

audit: ## Known vulnerabilities of all dependencies: asks the servers that know
	tests/sbom/audit

clean: ## Remove what was built
	$(CARGO) clean
