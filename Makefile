# make lists the targets.
BUILD := .build
TRIBUTARY := $(BUILD)/tributary
GOLANGCI_LINT := v2.15.0
GOVULNCHECK := v1.9.0
GOTESTSUM := v1.13.0
# GCS is spoken over HTTP: the tag leaves out what its client needs for gRPC beyond that, xDS above all.
export GOFLAGS := $(strip $(shell go env GOFLAGS) -tags=disable_grpc_modules)
# Inputs for each fuzz target. A time would do, too, but then what ends in time can fail: golang/go#75804.
FUZZTIME ?= 30000x
VIEWS ?= 1000000
N ?= 100
# Of the faults; 0 is another one each time. ONLY is a regular expression of their names.
SEED ?= 0
# Samples go to a topic, Files to a folder.
INTO ?= Samples
ONLY ?=

# The tests of joins that do several things at once; others take too long with the race detector.
CONCURRENT := TestParallelIntervals|TestCancelled|TestTwoJoinsAtOnce|TestUnitsGiveTheSame|TestSmallInputs|TestKilledRun|TestFeed$$|TestWriteInOrder

.DEFAULT_GOAL := help
.PHONY: help build services run test race lint vulns fmt fuzz bench bench-batch bench-stream soak scale e2e chaos mutants clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the command into .build
	@mkdir -p $(BUILD)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o $(TRIBUTARY) ./pipelines/tributary

services: ## fetch the servers that tests talk to, some minutes the first time
	@printf '%s\n' chromium azure gcs s3 kafka flink registry readers spark | xargs -P 4 -I % sh -c 'runners/devcluster/services/%.sh install'

run: build ## show the join of a stream, some 15 seconds, then join the real input and print the report
	$(TRIBUTARY) demo
	$(TRIBUTARY) join testdata/specs/openbandit.yaml --force --html out/openbandit.html

test: services ## run all tests, real services included; what failed is printed again at the end
	go vet ./...
	go run gotest.tools/gotestsum@$(GOTESTSUM) --format pkgname --hide-summary skipped -- -timeout 40m ./...

race: export TRIBUTARY_NO_SERVICES = 1
race: export GORACE = suppressions=$(CURDIR)/.ci/race-suppressions
race: ## run the tests of what is concurrent with the race detector, without real services
	go test -race -timeout 25m ./io/dofn ./io/fileio/... ./io/folderio ./io/iotest/... ./io/kafkaio/... ./io/packed ./io/pool ./io/spill ./runners/...
	go test -race -timeout 25m -run '$(CONCURRENT)' ./pipelines/job/batch

lint: ## run the linters, and check formatting and go.mod
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT) run --allow-parallel-runners ./...
	go mod tidy -diff
	cd .ci/prometheus && go mod tidy -diff && go vet .

vulns: ## look for known faults in what is compiled in; needs their list, https://vuln.go.dev
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./...

fmt: ## format the code
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT) fmt

fuzz: ## run every fuzz target, some seconds each (FUZZTIME=1000000x)
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$package || exit 1; \
	  done; \
	done

bench: ## run the benchmarks, ours beside their controls
	go test -run '^$$' -bench . -benchmem ./...

bench-batch: ## measure the join of files beside the same join in DuckDB (ARGS='--events 50000000', 30 GB of disk), some minutes
	go build -o $(BUILD)/benchstream ./pipelines/sim/bench
	$(BUILD)/benchstream batch $(ARGS)

bench-stream: services ## measure the join of topics, with stages too, beside Flink SQL, Kafka Streams and a bare copy, some 30 minutes
	testdata/control/control.sh install
	testdata/control/streams.sh install
	go build -o $(BUILD)/benchstream ./pipelines/sim/bench
	$(BUILD)/benchstream --stages --plot $(BUILD)/benchstream.svg $(ARGS)

soak: services ## run the join of topics at a steady rate for an hour, and watch its state and memory
	go build -o $(BUILD)/benchstream ./pipelines/sim/bench
	$(BUILD)/benchstream soak $(ARGS)

scale: build ## show that cost and memory stay flat up to 50 M events (9 GB of disk)
	testdata/scale.sh $(TRIBUTARY) 1000000 10000000 50000000

e2e: build ## join made input, as files and as a stream, and hold it against the truth (VIEWS=1000000)
	testdata/e2e.sh $(TRIBUTARY) $(VIEWS)
	go test -count=1 -timeout 1h -v -run TestStreamAtSize ./pipelines/sim/chaos -args -views $(VIEWS)

chaos: ## kill, stall and end what a stream runs on, and count the samples lost and doubled (N=100 SEED=0 INTO=Samples)
	go test -count=1 -timeout 0 -v -run Test$(INTO)SurviveFaults ./pipelines/sim/chaos -args -faults $(N) -seed $(SEED) -only '$(ONLY)'

mutants: ## break the code on purpose, a bug at a time, and see whether tests notice (ARGS='--only watermark'), some minutes
	go run ./pipelines/sim/mutants $(ARGS)

clean: ## remove what was built and written
	rm -rf $(BUILD) out
