// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// Arm is the running kernel.
type Arm struct {
	root string // an empty directory where each host mounts its files, in its own mount namespace
}

// New makes the arm. The caller closes it.
func New() (*Arm, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return nil, err
	}
	return &Arm{root: root}, nil
}

// Close removes what New made.
func (a *Arm) Close() error { return os.Remove(a.root) }

// Available says what is missing to run cases here, nil if nothing is.
func Available() error {
	var missing []error
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, fmt.Errorf("program %s not found (packages iproute2, nftables)", program))
		}
	}
	if err := onOwnThread(func() error { return unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS) }); err != nil {
		missing = append(missing, fmt.Errorf("can't make network and mount namespaces: %w", err))
	}
	return errors.Join(missing...)
}

// Name is "kernel".
func (a *Arm) Name() string { return "kernel" }

// Slack allows for timers that fire late (the timer wheel of Linux rounds up, by about 3%), for a busy machine, and for
// calls that come late and so wait less than the script says.
func (a *Arm) Slack(d time.Duration) (early, late time.Duration) {
	return min(100*time.Millisecond+d*3/10, 500*time.Millisecond), 500*time.Millisecond + d/20
}

// Open builds namespaces and processes. Only personality linux is to be had from a Linux kernel.
func (a *Arm) Open(c *conformance.Case, personality string) (conformance.World, error) {
	if personality != conformance.Linux {
		return nil, conformance.NotRun("the kernel answers as linux, not as %s", personality)
	}
	if c.NeedsAccessControl() {
		return nil, conformance.NotRun("the running kernel has no connect_secure(2) and its family, and its policy is not a case's to choose")
	}
	w := &world{
		arm: a, c: c, hosts: map[string]*host{}, processes: map[string]*process{}, groups: map[string]*group{},
		owner: map[string]string{},
	}
	w.deadline = time.Now().Add(c.Duration()*11/10 + 30*time.Second)
	if err := w.build(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}
