// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"
)

const wiredFile = `
links:
  wire: {kind: hub, tun: {device: dialtone0, addresses: [10.9.0.254/24, "fd09::fe/64"]}}
hosts:
  web.test:
    interfaces: {eth0: {link: wire, addresses: [10.9.0.1/24, "fd09::1/64"]}}
    services: [{kind: http, port: 80}]
`

// Programs of the machine reach a host of the file; when the network ends, the device is gone.
func TestTUN(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace to be had (root is needed): %v", err)
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip(err)
	}
	s, err := Parse("wired", []byte(wiredFile))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Start()
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no TUN devices here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"10.9.0.1", "[fd09::1]"} {
		out, err := exec.Command(curl, "-sS", "-m", "60", "http://"+at+"/").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "web.test" {
			t.Errorf("%v: %s", err, out)
		}
	}
	if _, err := s.Start(); err == nil || !strings.Contains(err.Error(), "link wire: link: TUN device dialtone0: another program has it open") {
		t.Errorf("a second network says %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command("ip", "link", "show", "dialtone0").CombinedOutput(); err == nil {
		t.Errorf("the device is left: %s", out)
	}
}

// The machine's time does not stand still, so a bubble is told that it can't have the machine.
func TestTUN_notInBubble(t *testing.T) {
	s, err := Parse("wired", []byte(wiredFile))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if _, err := s.Start(); err == nil || !strings.Contains(err.Error(), "not of real time") {
			t.Errorf("said %v", err)
		}
	})
}
