# One Makefile, no recursion but to itself with other flags. `make help` lists the targets.
PREFIX  ?= /usr/local
DESTDIR ?=
B       ?= build
CFLAGS  ?= -O2 -g
PYTHON  ?= /usr/bin/python3
OBJCOPY ?= objcopy
FUZZ_SECONDS ?= 60

VERSION := $(shell cat VERSION)
WARN    := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
           -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wimplicit-fallthrough -Wcast-qual
# Each processor has a flag of its own against jumps to where no function begins.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
BRANCHES := $(if $(filter x86_64-%,$(MACHINE)),-fcf-protection,$(if $(filter aarch64-%,$(MACHINE)),-mbranch-protection=standard))
HARDEN  := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fstack-clash-protection $(BRANCHES)
PKGS    := openssl yaml-0.1 libnetfilter_conntrack libnftables libseccomp libcap-ng

# AUTH GSSAPI needs the library of MIT Kerberos. Where it is missing, or with GSSAPI=no, attlsd is built
# without, and a policy that asks for AUTH GSSAPI is an error.
GSSAPI  ?= $(shell pkg-config --exists mit-krb5-gssapi mit-krb5 2>/dev/null && echo yes)
ifeq ($(GSSAPI),yes)
PKGS    += mit-krb5-gssapi mit-krb5
override CPPFLAGS += -DHAVE_GSSAPI
endif

override CPPFLAGS += -I. -D_GNU_SOURCE -DATTLSD_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
override CFLAGS  += -std=c17 -fPIE $(WARN) $(HARDEN) $(SAN) -MMD -MP
override LDFLAGS += -pie -Wl,-z,relro,-z,now $(SAN)
LDLIBS  += $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CURSES  := $(shell pkg-config --libs ncursesw 2>/dev/null || echo -lncursesw) # attlsctl
MICROHTTPD := $(shell pkg-config --libs libmicrohttpd 2>/dev/null)
LDLIBS  += -lresolv # of glibc: the TTL of names

# uthash's default function is a switch that falls through, of which clang warns
override CPPFLAGS += -DHASH_FUNCTION=HASH_FNV

# One short line for each file that is built; V=1 shows the commands.
say      = $(if $V,,@echo "  $1 $@";)
PROGRAMS := attlsd attlsctl attlsd-http
MAINS   := $(PROGRAMS:%=gateway/%.c)

# Folders, lowest first. A program is linked from its own folders only, so that the linker refuses
# a call from one program into the other.
COMMON  := policy ftp-alg gateway/base gateway/host gateway/gssapi gateway/net gateway/key gateway/tls
DAEMON  := gateway/keeper gateway/worker gateway/monitor
VIEW    := gateway/view
CONTROL := $(VIEW) gateway/import gateway/ctl
HTTP    := gateway/http
# Sorted, because the order of wildcard follows the locale, and would be that of the program's parts.
# Of gateway/gssapi, what needs the library, or what stands in its place.
UNFIT   := $(if $(filter yes,$(GSSAPI)),gateway/gssapi/absent.c,gateway/gssapi/acceptor.c gateway/gssapi/context.c)
objects  = $(patsubst %.c,$B/%.o,$(filter-out $(UNFIT),$(foreach d,$1,$(sort $(wildcard $d/*.c)))))
OBJ     := $(call objects,$(COMMON) $(DAEMON) $(CONTROL) $(HTTP))
UNITS   := $(patsubst %.c,$B/%,$(wildcard tests/unit/*/*_test.c))
FUZZERS := $(patsubst %.c,$B/%,$(wildcard tests/fuzz/*_fuzz.c))
ATTACKERS := $B/tests/attacks/worker_attacks $B/tests/attacks/attlsd_taken $B/tests/attacks/attlsd-http
# attlsd with another version, to which tests upgrade.
NEXT    := $B/tests/upgrade/attlsd
NEXT_SOURCES := $(shell grep -l ATTLSD_VERSION gateway/attlsd.c gateway/monitor/*.c)
BENCHERS := $(patsubst %.c,$B/%,$(wildcard tests/bench/*.c))
BINARIES := $(PROGRAMS:%=$B/%)

# A build uses all processors, unless the caller says how many.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

all: setup-build                    ## build build/attlsd, build/attlsctl and build/attlsd-http
	@$(MAKE) $(JOBS) --no-print-directory binaries
binaries: $(BINARIES)
units: $(UNITS) $(ATTACKERS) $(NEXT)
attackers: $(ATTACKERS)

$B/attlsd: $B/gateway/attlsd.o $(call objects,$(COMMON) $(DAEMON))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/attlsctl: $B/gateway/attlsctl.o $(call objects,$(COMMON) $(CONTROL))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -ljansson $(CURSES)
# From an archive, so that it contains only what it needs of the folders that it shares.
$B/attlsd-http.a: $(call objects,$(COMMON) $(VIEW) $(HTTP))
	$(call say,AR)rm -f $@ && $(AR) rcsD $@ $^
$B/attlsd-http: $B/gateway/attlsd-http.o $B/attlsd-http.a
	$(call say,LD)$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(LDLIBS) $(MICROHTTPD) -ljansson
$B/gateway/http/page.o: $(wildcard gateway/http/page/*)
$B/gateway/ctl/schema-manual.o: docs/man/attlsd.yaml.5
$(UNITS): $B/tests/unit/%: $B/tests/unit/%.o $(OBJ)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(MICROHTTPD) $(CURSES) -ljansson -lcmocka
$B/tests/attacks/worker_attacks: $B/tests/attacks/worker_attacks.o $(call objects,$(COMMON))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# attlsd with a worker that an attacker controls: taken_worker.c has the entry, the real worker another name.
$B/tests/attacks/real_worker.o: $B/gateway/worker/worker.o
	@mkdir -p $(@D)
	$(call say,LD)$(OBJCOPY) --redefine-sym worker_run=real_worker_run $< $@
$B/tests/attacks/attlsd_taken: $B/gateway/attlsd.o $B/tests/attacks/taken_worker.o $B/tests/attacks/real_worker.o \
  $(filter-out $B/gateway/worker/worker.o,$(call objects,$(COMMON) $(DAEMON)))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/tests/upgrade/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) -UATTLSD_VERSION -DATTLSD_VERSION='"9.9.9"' $(CFLAGS) -c -o $@ $<
$(NEXT): $(NEXT_SOURCES:%.c=$B/tests/upgrade/%.o) \
  $(filter-out $(NEXT_SOURCES:%.c=$B/%.o),$B/gateway/attlsd.o $(call objects,$(COMMON) $(DAEMON)))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# attlsd_taken starts the HTTP process that lies beside it: an attacker's.
$B/tests/attacks/attlsd-http: $B/tests/attacks/taken_http.o $(call objects,$(COMMON))
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(FUZZERS): $B/tests/fuzz/%: $B/tests/fuzz/%.o $(OBJ)
	$(call say,LD)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS) $(MICROHTTPD) $(CURSES) -ljansson

$(BENCHERS): %: %.o
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$B/flags: FORCE                     # changes only when the compiler or the flags change
	@mkdir -p $B
	@echo '$(CC) $(subst ','\'',$(CPPFLAGS) $(CFLAGS) $(LDFLAGS))' | cmp -s - $@ || \
	 echo '$(CC) $(subst ','\'',$(CPPFLAGS) $(CFLAGS) $(LDFLAGS))' > $@

setup-%: ; @sh contrib/setup.sh $*

check: setup-test                   ## unit, property and system tests (root: all of them); one summary line
	@$(MAKE) $(JOBS) --no-print-directory binaries units
	@B=$B PYTHON=$(PYTHON) sh tests/check.sh

asan:                               ## the same under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory B=build/asan HARDEN=-fno-omit-frame-pointer \
	  SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' check

check-share: setup-test             ## shared passive ports with all clients, and with 1000 addresses
	@$(MAKE) --no-print-directory all
	@ATTLSD_TEST_SHARE=all ATTLSD=$(abspath $B/attlsd) ATTLSCTL=$(abspath $B/attlsctl) ATTLSD_BUILD=$(abspath $B) $(PYTHON) -m pytest \
	  -c tests/system/pytest.ini -q -p no:cacheprovider tests/system/test_share_clients.py tests/edge/test_share.py

check-ktls: setup-test              ## tests of TLS in the kernel, where need be on an emulated machine whose kernel has it
	@$(MAKE) $(JOBS) --no-print-directory binaries
	@B=$B PYTHON=$(PYTHON) sh tests/ktls/run.sh

check-fresh: setup-fresh            ## make demo and make check on minimal Debians (FRESH='bookworm trixie'), as root and as a user
	@for release in $(or $(FRESH),bookworm trixie); do sh tests/fresh/run.sh $$release $(FRESH_STEPS) || exit 1; done

check-systemd: setup-test setup-fresh           ## the service under the systemd of minimal Debians (FRESH='bookworm trixie')
	@for release in $(or $(FRESH),bookworm trixie); do \
	  PYTHON=$(PYTHON) sh tests/systemd/run.sh $$release -q || exit 1; done

check-packages: setup-test setup-fresh          ## Debian's packages: built twice, lintian, installed, upgraded, purged on minimal Debians (FRESH='bookworm trixie')
	@for release in $(or $(FRESH),bookworm trixie); do \
	  PYTHON=$(PYTHON) sh tests/packages/run.sh $$release -q || exit 1; done

check-arm64: setup-fresh            ## compile for arm64 and run the unit tests under qemu-user, on a minimal Debian (FRESH=trixie)
	@sh tests/arm64/run.sh $(or $(FRESH),trixie)

mutants: setup-test                 ## switch each guard off in turn; the test of its incident has to fail
	@$(PYTHON) tests/attacks/mutants.py

fuzz: setup-test                    ## every fuzzer for FUZZ_SECONDS (60) with its seed corpus
	@$(MAKE) $(JOBS) --no-print-directory B=build/fuzz CC=clang HARDEN= \
	  SAN=-fsanitize=address,undefined,fuzzer-no-link fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run.sh build/fuzz
fuzzers: $(FUZZERS)

fuzz-live: setup-test               ## random clients and a random server around an ASan build, for LIVE_SECONDS (60); LIVE_SEED repeats a run
	@$(MAKE) $(JOBS) --no-print-directory B=build/asan HARDEN=-fno-omit-frame-pointer \
	  SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' binaries
	@ATTLSD=$(CURDIR)/build/asan/attlsd ATTLSCTL=$(CURDIR)/build/asan/attlsctl ATTLSD_BUILD=$(CURDIR)/build/asan \
	  PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/fuzz/live.py

bench: setup-bench                  ## compare with other TLS servers and relays (BENCH=quick: 2 minutes; BENCH_ONLY=h-40: paths with delay; BENCH_WRITE=1: docs)
	@$(MAKE) $(JOBS) --no-print-directory binaries bench-tools
	@B=$B BENCH=$(BENCH) BENCH_WRITE=$(BENCH_WRITE) $(PYTHON) tests/bench/bench.py
bench-tools: $(BENCHERS)

soak: setup-bench                   ## 10,000 sessions and much else at once, for SOAK_SECONDS (60): what is lost, left open, late?
	@$(MAKE) $(JOBS) --no-print-directory binaries bench-tools
	@B=$B $(PYTHON) tests/bench/soak.py

upgrade-load: setup-bench           ## ten upgrades under load: is a connection refused, a transfer cut? (UPGRADES=10, RATE=200)
	@$(MAKE) $(JOBS) --no-print-directory binaries bench-tools
	@B=$B PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/upgrade.py

differential: setup-test            ## compare dialogues natively and through attlsd, for DIFF_SECONDS (600)
	@$(MAKE) $(JOBS) --no-print-directory binaries
	@B=$(abspath $B); ATTLSD=$$B/attlsd ATTLSCTL=$$B/attlsctl ATTLSD_BUILD=$$B PYTHONDONTWRITEBYTECODE=1 \
	  $(PYTHON) tests/differential/differential.py --out $$B/differential.md

lint: setup-test                    ## layers, banned calls, sizes, formatting, manual pages
	@PYTHON='$(PYTHON)' sh tests/lint.sh
	@$(MAKE) $(JOBS) --no-print-directory --silent binaries
	@B=$B COMMON='$(COMMON)' DAEMON='$(DAEMON)' CONTROL='$(CONTROL)' HTTP='$(VIEW) $(HTTP)' UNFIT='$(UNFIT)' \
	  $(PYTHON) tests/structure.py $(STRUCTURE)

demo: setup-demo                    ## a real FTP server behind attlsd, with transfers shown (DEMO=once: end after them)
	@echo "building attlsd in $B ..."
	@$(MAKE) $(JOBS) --no-print-directory --silent binaries
	@B=$B DEMO=$(DEMO) sh contrib/demo/demo.sh

demo-outbound: setup-demo           ## a client without TLS, attlsd, and a real FTPS server (DEMO=once: end after the transfers)
	@echo "building attlsd in $B ..."
	@$(MAKE) $(JOBS) --no-print-directory --silent binaries
	@B=$B DEMO=$(DEMO) sh contrib/demo/outbound.sh

# What is installed: each file, and its folder under PREFIX, which takes the place of /usr/local in all but the pages.
DOC := share/doc/attlsd
# Pages for those who work on attlsd; installed-links.sed has the same list.
UNINSTALLED := ARCHITECTURE BENCHMARKS CHANGELOG CONTRIBUTING LICENSE PERFORMANCE SECURITY STYLE
INSTALLED := $(BINARIES:%=%:sbin) docs/man/attlsd.8:share/man/man8 docs/man/attlsctl.8:share/man/man8 docs/man/attlsd-http.8:share/man/man8 docs/man/attlsd.yaml.5:share/man/man5 \
  $(foreach f,$(wildcard contrib/policy.*.yaml) docs/audit.schema.json,$f:$(DOC)) \
  README.md:$(DOC) $(foreach f,$(filter-out $(UNINSTALLED:%=docs/%.md),$(wildcard docs/*.md)),$f:$(DOC)) \
  $(foreach d,images servers,$(foreach f,$(wildcard docs/$d/*),$f:$(DOC)/$d)) contrib/demo/zos-client.py:$(DOC)/demo \
  $(foreach f,$(wildcard contrib/nftables/*.nft),$f:$(DOC)/nftables) \
  $(foreach d,logrotate rsyslog fluent-bit prometheus grafana fleet,$(foreach f,$(wildcard contrib/$d/*),$f:$(DOC)/$d)) \
  $(foreach d,filter.d jail.d,contrib/fail2ban/$d/attlsd.conf:$(DOC)/fail2ban/$d) contrib/systemd/attlsd.service:lib/systemd/system contrib/systemd/attlsd.socket:$(DOC)/systemd \
  $(foreach d,sysusers.d tmpfiles.d,$(foreach f,$(wildcard contrib/$d/*),$f:lib/$d)) \
  contrib/completion/attlsctl:share/bash-completion/completions contrib/completion/_attlsctl:share/zsh/site-functions
INSTALLED += docs/policy.schema.json:share/attlsd docs/node.schema.json:share/attlsd \
  $(foreach d,acme login-check,$(foreach f,$(wildcard contrib/$d/*),$f:share/attlsd/$d)) contrib/systemd/upgrade-services:share/attlsd
ROOT = $(DESTDIR)$(PREFIX)
UNITS_DIR = $(ROOT)/lib/systemd/system
# Of attlsd@NAME.service: a policy, a control socket and a folder of logs for each instance.
INSTANCE := -e '/^Description=/s/$$/ (%i)/' -e 's|/etc/attlsd/|/etc/attlsd/%i/|g' -e 's|^RuntimeDirectory=attlsd$$|RuntimeDirectory=attlsd-%i|' \
  -e 's|^LogsDirectory=attlsd$$|LogsDirectory=attlsd/%i|'

install: $(BINARIES)                ## install under DESTDIR/PREFIX
	for file in $(INSTALLED); do from=$${file%:*}; to="$(ROOT)/$${file#*:}/$${from##*/}"; \
	  case $$file in *:sbin|*/attlsd-deploy:*|*/upgrade-services:*|*/login-check:*|*/login-check-pam:*) mode=755 ;; *) mode=644 ;; esac; \
	  install -D -m $$mode $$from "$$to" || exit 1; \
	  case $$file in *.md:*|*:sbin) continue ;; esac; \
	  ! grep -qI /usr/local "$$to" || sed -i 's|/usr/local|$(PREFIX)|g' "$$to" || exit 1; done
	sed $(INSTANCE) "$(UNITS_DIR)/attlsd.service" >"$(UNITS_DIR)/attlsd@.service"
	chmod 644 "$(UNITS_DIR)/attlsd@.service"
	sed -i -f contrib/installed-links.sed "$(ROOT)/$(DOC)"/*.md "$(ROOT)/$(DOC)"/*/*.md

uninstall:                          ## remove what install has put there, with the same DESTDIR and PREFIX
	for file in $(INSTALLED); do from=$${file%:*}; rm -f "$(ROOT)/$${file#*:}/$${from##*/}" || exit 1; done
	rm -f "$(UNITS_DIR)/attlsd@.service"
	for folder in /acme /login-check ''; do [ ! -d "$(ROOT)/share/attlsd$$folder" ] || rmdir --ignore-fail-on-non-empty "$(ROOT)/share/attlsd$$folder"; done
	for folder in /fleet /demo /images /servers /systemd /prometheus /grafana /logrotate /rsyslog /fluent-bit /nftables /fail2ban/filter.d /fail2ban/jail.d /fail2ban ''; do \
	  [ ! -d "$(ROOT)/$(DOC)$$folder" ] || rmdir --ignore-fail-on-non-empty "$(ROOT)/$(DOC)$$folder" || exit 1; done

# From a copy of the checkout, with what is not committed, so that Debian's tools leave nothing in it.
deb:                                ## Debian packages in build/deb (DEB_BUILD_OPTIONS=nocheck: without the unit tests)
	@sh contrib/deb.sh

image: setup-image                  ## an OCI image in build/image, of the packages of make deb
	@[ -e build/deb/attlsd_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb ] || DEB_BUILD_OPTIONS=nocheck DEB_BUILD=--build=binary sh contrib/deb.sh
	@sh contrib/container/build.sh

check-image: image                  ## the image, and that of the Containerfile, as an arbitrary user, with a read-only root and no capability (root)
	@sh tests/container/containerfile.sh build/containerfile
	@for image in image containerfile; do ATTLSD_IMAGE=build/$$image PYTHONDONTWRITEBYTECODE=1 \
	  $(PYTHON) -m pytest -c tests/container/pytest.ini tests/container -q -p no:cacheprovider || exit 1; done

rpm:                                ## RPM packages in build/rpm
	@sh contrib/rpm/build.sh

clean: ; rm -rf build               ## remove build output

help:                               ## this list
	@awk -F':.*[#][#] ' '/^[a-z-]+:.*[#][#] /{printf "  %-12s %s\n",$$1,$$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: all binaries units attackers check check-fresh check-systemd check-packages check-arm64 check-ktls check-share asan mutants fuzz fuzzers fuzz-live bench bench-tools soak upgrade-load differential lint demo demo-outbound install uninstall deb rpm image check-image clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
-include $(OBJ:.o=.d) $(MAINS:%.c=$B/%.d) $(UNITS:=.d) $(BENCHERS:=.d) $(FUZZERS:=.d) $(ATTACKERS:=.d) $(NEXT_SOURCES:%.c=$B/tests/upgrade/%.d) $B/tests/attacks/taken_worker.d $B/tests/attacks/taken_http.d
