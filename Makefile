# `make` lists the targets. A target says what it needs; setup installs it.

# VCS facts go into the binary where git can tell them: not in a tree that git
# takes for another user's, as in some CI machines.
VCS     := $(shell git status --porcelain >/dev/null 2>&1 && echo auto || echo false)
export GOFLAGS += -buildvcs=$(VCS)
BUILD    = CGO_ENABLED=0 go build -trimpath -buildvcs=$(VCS) -ldflags "-s -w"
# berth-etcd. Without the second tag grpc brings a page of traces, and with it
# templates, for whose sake the linker keeps every method of every type: 12 MB.
ETCD      = -tags=etcd,grpcnotrace

CYCLES   ?= 2000
STEPS    ?= 10000000
SWAPS    ?= 1000000
FUZZTIME ?= 20s
HOSTS    ?= 3000
PREFIX   ?= /usr/local
VERSION  ?=
LINT      = go tool -modfile=packaging/lint.mod golangci-lint

# All tests run with the race detector, except those from outside: they test
# the binary, which is built as a release is. Those of stores mostly wait.
STORES    = ./bridge/store/etcd ./bridge/store/redis ./bridge/store/dynamodb
RACED     = $$(go list ./agent/... ./bench/... ./bridge/... ./collectors/... ./janitor/... ./test/dockerproxy ./test/engine ./test/tcpproxy | grep -vE '/store/(etcd|redis|dynamodb)$$')

.DEFAULT_GOAL := help
.PHONY: help demo run setup build test check format vet tidy house lint cross bench fleet fuzz golden e2e e2e-race e2e-origins e2e-adversary model package install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## see it work on the local Docker, in a minute; leaves nothing behind
	@test/setup/setup.sh demo
	@test/demo/demo.sh

run: build ## run the daemon as you, with its state and socket in bin/run
	@mkdir -p bin/run/apps
	bin/berth run --set api.socket=$(CURDIR)/bin/run/berth.sock --set api.group= --set state_dir=$(CURDIR)/bin/run/state \
		--set 'logs.roots=[{path: $(CURDIR)/bin/run/apps}]' --set relay.listen=off

setup: ## install and start what the tests need, if it is not there
	@test/setup/setup.sh

build: ## bin/berth, static, and bin/berth-etcd, which it becomes for a store in etcd
	$(BUILD) -o bin/berth ./agent/cmd/berth
	$(BUILD) $(ETCD) -o bin/berth-etcd ./agent/cmd/berth

test: setup ## all tests, against the real Docker and the real kernel
	go test -race -count=1 -timeout 15m $(RACED)
	go test -race -count=1 -timeout 15m -p 3 -parallel 3 $(STORES)
	go test -count=1 -timeout 10m -run Model ./janitor/logs
	go test -count=1 -timeout 20m ./test/adversary ./test/e2e
	go test -count=1 -timeout 15m ./test/rig

check: format vet tidy house build cross lint test ## what CI runs: all of it

format: # gofmt; the linter adds gofumpt and the order of imports
	@bad=$$(gofmt -l agent bench bridge collectors janitor packaging test); test -z "$$bad" || { echo "gofmt -w $$bad"; exit 1; }

vet:
	go vet ./...
	go vet $(ETCD) ./agent

tidy:
	go mod tidy -diff

house: # the rules of the whole tree: arrows, texts, invariants
	go test -count=1 ./agent/internal/house

lint: ## the linters of .golangci.yml; the first time builds them, for minutes
	$(LINT) run

cross: # the other architecture
	GOARCH=arm64 $(BUILD) -o bin/arm64/berth ./agent/cmd/berth

bench: setup ## our figures beside their limits, about forty minutes
	go run ./bench

fleet: setup ## many hosts against a real etcd, and its latency with a real Docker; ten minutes, HOSTS as you like
	go run ./bench/fleet -store etcd -hosts $(HOSTS) -outage 100s
	go run ./bench -only visible -starts 100

fuzz: ## each fuzz target for FUZZTIME
	@grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' -H . | sed 's/:func / /' | while read -r file name; do \
		go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) \
		-fuzzminimizetime 10x || exit 1; done # by default a minute goes into making each new input smaller, and no try counts

golden: ## rewrite the golden files; look at the difference before you commit it
	go test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update

e2e: setup ## the tests from outside alone, and the packages on machines that boot systemd
	go test -count=1 -timeout 20m ./test/e2e
	go test -count=1 -timeout 15m ./test/rig

e2e-race: setup ## the long race: CYCLES containers against a sweeper without grace
	go test -count=1 -timeout 3h -v -run WhileItsContainerExists ./test/e2e -cycles=$(CYCLES)

e2e-origins: setup ## the relay's long race: CYCLES short lives on few addresses, no line of the wrong container
	go test -count=1 -timeout 3h -v -run NoLineIsOfAnotherContainer ./test/e2e -cycles=$(CYCLES)

e2e-adversary: ## SWAPS by hostile tenants against the janitor, with canaries outside
	go test -count=1 -timeout 6h -v ./test/adversary -swaps=$(SWAPS)

model: ## the janitor against a model of the truth, for STEPS random steps with faults
	go test -count=1 -timeout 0 -v -run Model ./janitor/logs -steps=$(STEPS)

package: ## a release in bin/dist: deb, rpm, tar.gz for amd64 and arm64; VERSION=1.2.3
	go run ./packaging/release -version "$(VERSION)" -out bin/dist

install: build ## bin/berth to PREFIX/bin, bin/berth-etcd to PREFIX/lib/berth
	install -D -m 0755 bin/berth $(DESTDIR)$(PREFIX)/bin/berth
	install -D -m 0755 bin/berth-etcd $(DESTDIR)$(PREFIX)/lib/berth/berth-etcd

clean: ## remove what was built
	rm -rf bin
