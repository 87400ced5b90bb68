# SPDX-License-Identifier: Apache-2.0
# fc-runc: an OCI runtime that gives every sandbox a virtual machine. `make help` lists what can be made.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=

# --- Debian packages: one a line, with what it is for -------------------------------------------------

PACKAGES += gcc                 # links; compiles the floor of `make bench`
PACKAGES += binutils            # objcopy: strips the guest's modules
PACKAGES += libc6-dev           # headers and static libraries of the C library
PACKAGES += libstdc++-12-dev    # the C++ library, for the TOML parser
PACKAGES += pkg-config          # how SwiftPM finds the three libraries below
PACKAGES += libseccomp-dev      # compiles system call filters
PACKAGES += libcap-dev          # sets capabilities
PACKAGES += libprotobuf-c-dev   # the agent protocol's messages
PACKAGES += nettle-dev          # SHA-256, which names the shim's sockets
PACKAGES += protobuf-c-compiler # regenerates them when a .proto changes: Sources/Protobuf/generate
PACKAGES += libprotobuf-dev     # what protobuf-c.proto imports
PACKAGES += lz4                 # unpacks the guest kernel
PACKAGES += kmod                # depmod: what the guest's modules depend on
PACKAGES += make                # compiles a module for it
PACKAGES += libelf1             # objtool, which completes the module
PACKAGES += qemu-system-x86     # engine qemu
PACKAGES += busybox-static      # the root filesystem of `make run` and of the tests
PACKAGES += iproute2            # ip: network namespaces in tests

TEST_PACKAGES += qemu-system-common # /usr/lib/qemu/virtiofsd, the peer in `make bench`
TEST_PACKAGES += runc           # the peer in `make bench`, and what containerd depends on
TEST_PACKAGES += jq             # makes the documents of the test bundles
TEST_PACKAGES += crun           # the other peer in `make bench`
TEST_PACKAGES += containerd     # client: ctr, and a kubelet's calls
TEST_PACKAGES += python3-grpcio # makes those calls
TEST_PACKAGES += containernetworking-plugins # networks for them, and for podman
TEST_PACKAGES += podman         # client
TEST_PACKAGES += conmon         # podman's monitor
TEST_PACKAGES += catatonit      # what waits in podman's infra containers
TEST_PACKAGES += e2fsprogs      # mke2fs: the disks of the nested host, and of containers
TEST_PACKAGES += btrfs-progs    # mkfs.btrfs: subvolumes below a volume
TEST_PACKAGES += erofs-utils    # mkfs.erofs: the same
TEST_PACKAGES += squashfs-tools # mksquashfs: the same
TEST_PACKAGES += iptables        # rules in a container: both kinds of iptables
TEST_PACKAGES += nftables        # the same: nft
TEST_PACKAGES += acl            # setfacl and getfacl
TEST_PACKAGES += attr           # setfattr and getfattr
TEST_PACKAGES += libcap2-bin    # setcap and getcap
TEST_PACKAGES += rsync          # copies lists and attributes
TEST_PACKAGES += procps         # ps and pgrep, for the nested host
TEST_PACKAGES += acpica-tools   # iasl: reads the machine's ACPI tables as Linux would
TEST_PACKAGES += strace         # ends a command at any of its system calls
TEST_PACKAGES += mmdebstrap     # makes the root file system of Tests/Software
TEST_PACKAGES += docker.io      # client
TEST_PACKAGES += sqlite3        # looks at a container's database from the host

KERNEL_PACKAGES += xz-utils     # unpacks its source
KERNEL_PACKAGES += patch        # mends it
KERNEL_PACKAGES += flex         # reads its configuration
KERNEL_PACKAGES += bison        # the same
KERNEL_PACKAGES += bc           # makes a table of time constants
KERNEL_PACKAGES += libelf-dev   # objtool, which checks and completes the object files

# --- What is built ------------------------------------------------------------------------------------

# Fully static programs: one start-up without a dynamic linker, one file to bring into a jail.
RELEASE := -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s
PROGRAMS := fc-runc containerd-shim-fc-runc-v2
PARTS := fc-jailer fc-proxy fc-vmm fc-fsd
AGENT := fc-agent

# out/ is shaped like an installation, since fc-runc finds its parts relative to itself.
OUT := out
GUEST := $(OUT)/lib/fc-runc/guest

.PHONY: help setup setup-tests build guest guest-image guest-kernel run test nested lint fuzz bench man install
.PHONY: uninstall clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## install the Debian packages that building and running need
	@scripts/setup $(PACKAGES)

setup-tests: ## install the Debian packages that the tests need, too
	@scripts/setup $(PACKAGES) $(TEST_PACKAGES)

build: setup ## build the programs into out/
	swift build $(RELEASE)
	@mkdir -p $(OUT)/bin $(OUT)/libexec/fc-runc
	@bin=$$(swift build $(RELEASE) --show-bin-path) && \
	    for program in $(PROGRAMS); do scripts/update $$bin/$$program $(OUT)/bin/$$program || exit 1; done && \
	    for part in $(PARTS); do scripts/update $$bin/$$part $(OUT)/libexec/fc-runc/$$part || exit 1; done && \
	    scripts/update $$bin/$(AGENT) $(OUT)/guest-init

guest: build ## prepare the guest's kernel and initramfs in out/
	@$(MAKE) guest-image

# The guest alone, of the agent that was built last. The kernel of our own goes along where it was built before.
guest-image:
	@kernel=$$(guest/kernel) && guest/image $$kernel $(OUT)/guest-init $(GUEST)
	@kernel=$$(guest/trimmed --cached) && if [ -n "$$kernel" ]; then \
	    guest/image $$kernel $(OUT)/guest-init $(GUEST)/trimmed; else rm -rf $(GUEST)/trimmed; fi

guest-kernel: build ## build a trimmed guest kernel (10 min once) and prefer it to Debian's
	@scripts/setup $(KERNEL_PACKAGES)
	@kernel=$$(guest/trimmed) && guest/image $$kernel $(OUT)/guest-init $(GUEST)/trimmed

run: ## set up, build, and run a container of busybox in a virtual machine; EXIT=N for its exit code
	@scripts/demo $(EXIT)

test: setup-tests build guest ## all tests; the last line counts them
	@Tests/run-all

nested: setup-tests build guest ## test engine kvm with real KVM, on an emulated AMD host; `make test` has a short form
	@Tests/Nested/run --full

lint: ## check format and licenses, that text is taken apart by bytes, and that scripts call what is there
	swift format lint --strict --parallel --recursive Package.swift Sources Tests
	scripts/lint-text
	scripts/lint-shell
	scripts/spdx

fuzz: ## run the fuzz targets for FUZZ_SECONDS each (default 600)
	@Tests/Fuzz/run $${FUZZ_SECONDS:-600}

bench: setup-tests build guest ## measure; prints a table and writes .build/bench.json
	@Tests/Benchmarks/run

man: ## check that the manual pages can be read
	@for page in man/*.[1-8]; do \
	    [ ! -e "$$page" ] || MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z "$$page" >/dev/null || exit 1; done

install: ## install below PREFIX (default /usr/local), staged in DESTDIR if given; builds what is missing first
	@scripts/install --check $(OUT) || $(MAKE) guest
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install $(OUT)

uninstall: ## remove what install put there
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install --remove $(OUT)

clean: ## remove what was built here; the kernel stays cached in ~/.cache/fc-runc
	rm -rf $(OUT) .build
