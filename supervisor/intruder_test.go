// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A process of the real machine that finds our abstract names in /proc/net/unix
// and connects to them disturbs nobody.
func TestIntruder(t *testing.T) {
	for _, opts := range []Options{{Settled: true}, {}} {
		v := newVirtual(t, opts)
		e := v.startEcho(t)
		cmd := exec.Command(selfPath(t), v.sup.prefix)
		cmd.Env = append(os.Environ(), roleVariable+"=intruder")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if string(out) != "2" { // the listener's T and plugs
			t.Errorf("the intruder found %s names", out)
		}
		e.say(t, "hello", "hello")
		e.end(t)
	}
}

// roleIntruder connects to all listeners whose abstract names have the prefix.
func roleIntruder() int {
	table, err := os.ReadFile("/proc/net/unix")
	must(err)
	found := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if name := f[len(f)-1]; strings.HasPrefix(name, "@"+os.Args[1]) {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			must(err)
			must(unix.Connect(fd, &unix.SockaddrUnix{Name: name}))
			found++
		}
	}
	fmt.Print(found)
	return 0
}
