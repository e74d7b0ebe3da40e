# What CI does, in parts that run here too; .ci/run does all of it.

GO ?= go
# Floors 0 to 4: what Go programs import. They also build where the supervisor does not run.
FLOORS = ./errno ./sockaddr ./wire ./clock ./personality ./trail ./link ./selinux ./firewall ./tcp \
	./socket ./unixdomain ./netlink ./packet ./vsock ./landlock ./inet ./mac ./drill ./capture .
FUZZTIME ?= 20s

.PHONY: all check test race fuzz cross bench vuln

all: check test race cross

check:
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@files=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); \
	if [ -n "$$files" ]; then echo "gofumpt would change:" $$files; exit 1; fi

test:
	$(GO) test ./...
	cd examples && $(GO) vet ./... && $(GO) test ./...

race:
	$(GO) test -race $(FLOORS)

# Every fuzz target, for FUZZTIME each.
fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -parallel 2 $$pkg || exit 1; \
		done; \
	done

cross:
	GOOS=darwin GOARCH=arm64 $(GO) build $(FLOORS) ./scenario ./cmd/...
	GOOS=windows GOARCH=amd64 $(GO) build $(FLOORS) ./scenario ./cmd/...
	GOOS=linux GOARCH=arm64 $(GO) build $(FLOORS) ./scenario ./cmd/...
	GOOS=darwin GOARCH=arm64 $(GO) vet $(FLOORS) ./scenario

bench:
	$(GO) test -run '^$$' -bench . -benchmem $(FLOORS)

# Asks the public vulnerability database, so it needs the network.
vuln:
	$(GO) tool govulncheck ./...
