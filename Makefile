# Slipway: `sudo make up` builds and installs the appliance on this machine,
# `make test` shows that it works. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

# sudo resets PATH; Go's usual places come last so that a chosen Go wins.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin:/usr/lib/go/bin

# One set of flags for every Go command here: packages are compiled once and
# shared by build, vet and tests.
export GOFLAGS := -buildvcs=false
export CGO_ENABLED ?= 1

VERSION     ?= $(shell git -c safe.directory='*' describe --tags --match 'v*' --dirty 2>/dev/null || echo v0.1.0-dev)
BUILT       ?= $(shell git -c safe.directory='*' log -1 --format=%cI 2>/dev/null)
KUBERNETES  := v1.35.1+k3s1
ARCH        ?= $(shell uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
HOST_ARCH   := $(shell uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')

# The tags of the k3s build; `payload` embeds the node binaries and images.
BASE_TAGS := ctrd netcgo osusergo providerless urfave_cli_no_docs sqlite_omit_load_extension static_build apparmor seccomp no_cri_dockerd
TAGS      ?= $(BASE_TAGS) payload

LDFLAGS := -s -w \
  -X main.version=$(VERSION) \
  -X main.built=$(BUILT) \
  -X github.com/k3s-io/k3s/pkg/version.Version=$(KUBERNETES) \
  -X k8s.io/client-go/pkg/version.gitVersion=$(KUBERNETES) \
  -X k8s.io/component-base/version.gitVersion=$(KUBERNETES) \
  -X k8s.io/component-base/version.gitMajor=1 \
  -X k8s.io/component-base/version.gitMinor=35 \
  -linkmode external -extldflags "-static -lm -ldl -lz -lpthread"

# Another architecture needs its C compiler and the three static C libraries
# for it (Debian: gcc-aarch64-linux-gnu and the :arm64 -dev packages).
ifneq ($(ARCH),$(HOST_ARCH))
export GOARCH := $(ARCH)
export CC := $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu-gcc,x86_64-linux-gnu-gcc)
BINARY := bin/slipway-linux-$(ARCH)
else
BINARY := bin/slipway
endif

# Under sudo the build runs as the caller, so that caches and bin/ stay theirs.
AS_CALLER := $(if $(and $(SUDO_USER),$(filter-out root,$(SUDO_USER))),sudo -u $(SUDO_USER) -H env "PATH=$(PATH)")

.PHONY: all
all: build

##@ Appliance

.PHONY: up
up: ## Install build packages, build, and install Slipway on this machine (root)
	@scripts/root.sh "make up"
	scripts/deps.sh build
	$(AS_CALLER) $(MAKE) --no-print-directory build
	bin/slipway install --yes

.PHONY: down
down: ## Remove Slipway from this machine and show what is left, which is nothing (root)
	@scripts/root.sh "make down"
	SLIPWAY_BINARY=$(CURDIR)/bin/slipway ./uninstall.sh

##@ Build

.PHONY: deps
deps: ## Install the Debian packages that build and tests need, when missing (root)
	scripts/deps.sh build test

.PHONY: payload
payload: ## Build the node binaries and images that the binary carries
	env -u CC GOARCH= go run ./scripts/payload -arch $(ARCH) -out embedded/payload

.PHONY: client
client: ## Build the drycc client for every system, to be downloaded from the appliance
	@scripts/client.sh $(VERSION)

.PHONY: drycc
drycc: ## Build bin/drycc, the client for this machine
	@mkdir -p bin
	CGO_ENABLED=0 go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/drycc ./cmd/drycc

.PHONY: build
build: payload client ## Build bin/slipway, one static file with everything in it
	@mkdir -p bin
	go build -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/slipway
	@scripts/static.sh $(BINARY)

.PHONY: build-light
build-light: ## Build bin/slipway-light, the same program without its payload
	@mkdir -p bin
	go build -tags '$(BASE_TAGS)' -ldflags '$(LDFLAGS)' -o bin/slipway-light ./cmd/slipway

##@ Tests

.PHONY: test
test: ## Run lint, unit and end-to-end tests (root: the last install the appliance)
	@scripts/root.sh "make test"
	scripts/phases.sh deps lint test-unit build test-heavy test-e2e

.PHONY: lint
lint: ## gofmt, vet, staticcheck, shellcheck, sizes and phrases
	scripts/lint.sh

.PHONY: test-unit
test-unit: ## Tests that need no root and do not compile Kubernetes
	go test -short -timeout 5m $$(scripts/packages.sh light)
	cd embedded/src/traefik && go test ./guard ./relay ./doors

.PHONY: test-heavy
test-heavy: ## Tests of the packages that link Kubernetes (lint vets them), and a kill at every step of the controller
	go test -timeout 10m ./platform/platformtest
	go test -vet=off -timeout 10m -tags '$(BASE_TAGS)' $$(scripts/packages.sh heavy)

.PHONY: test-e2e
test-e2e: ## Install bin/slipway here and on bare hosts, use, break, back up, restore, remove (root)
	@scripts/root.sh "make test-e2e"
	go test -tags e2e -timeout 80m -count 1 -p 1 -v ./test/harness ./test/e2e ./test/backup

.PHONY: test-push
test-push: ## Push what developers push to a bare host, with clients and servers killed (root)
	@scripts/root.sh "make test-push"
	go test -tags e2e -timeout 40m -count 1 -v ./test/push

.PHONY: test-fleet
test-fleet: ## Several bare hosts: agents join, servers join, nodes leave (root)
	@scripts/root.sh "make test-fleet"
	go test -tags e2e -timeout 60m -count 1 -v ./test/fleet

.PHONY: test-upgrade
test-upgrade: ## Upgrade an older version on a bare host, break it, kill it, go back (root)
	@scripts/root.sh "make test-upgrade"
	go test -tags e2e -timeout 60m -count 1 -v ./test/upgrade

.PHONY: test-backup
test-backup: ## Back a platform up and restore it on another host made for it (root)
	@scripts/root.sh "make test-backup"
	go test -tags e2e -timeout 30m -count 1 -v ./test/backup

.PHONY: test-cis
test-cis: ## Hardening, doctor, support bundle, ufw and firewalld on bare hosts (root)
	@scripts/root.sh "make test-cis"
	go test -tags e2e -timeout 30m -count 1 -v ./test/cis

.PHONY: test-rehome
test-rehome: ## Bare hosts that move: address, host name, domain, 400 days (root)
	@scripts/root.sh "make test-rehome"
	go test -tags e2e -timeout 40m -count 1 -v ./test/rehome

.PHONY: test-powerloss
test-powerloss: ## Pull the plug of a bare host during writes, ROUNDS=100 times (root)
	@scripts/root.sh "make test-powerloss"
	ROUNDS=$(or $(ROUNDS),100) go test -tags e2e -timeout 10h -count 1 -v ./test/powerloss

.PHONY: bench-api
bench-api: ## Measure the API against a bare handler over the same database
	go test -tags e2e -timeout 20m -count 1 -v ./test/bench/api

.PHONY: bench
bench: bench-api ## The same, bin/slipway against plain k3s, and its gateway against nginx (root)
	@scripts/root.sh "make bench"
	scripts/deps.sh bench
	go test -tags e2e -timeout 90m -count 1 -v ./test/bench

.PHONY: bench-gateway
bench-gateway: ## The gateway against nginx, and with 500 domains of apps (root)
	@scripts/root.sh "make bench-gateway"
	scripts/deps.sh bench
	go test -tags e2e -timeout 60m -count 1 -v -run TestGateway ./test/bench

.PHONY: test-edge
test-edge: ## A public authority (Pebble) and bin/slipway on a bare host (root)
	@scripts/root.sh "make test-edge"
	scripts/deps.sh test
	go test -tags e2e -timeout 40m -count 1 -v ./test/edge

.PHONY: conformance
conformance: ## Run the upstream Gateway API suite on a bare host; writes docs/conformance (root)
	@scripts/root.sh "make conformance"
	go test -tags e2e -timeout 60m -count 1 -v ./test/conformance

##@ Housekeeping

.PHONY: sweep
sweep: ## Remove test hosts that a killed run left behind (root)
	go run ./test/harness/sweep

.PHONY: clean
clean: ## Remove build products of this checkout (caches outside it stay)
	rm -rf bin dist .phases
	find embedded/payload embedded/clients -mindepth 1 ! -name README.md -delete 2>/dev/null || true

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
