// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Each benchmark runs a role of the test binary in turns under the supervisor
// and on the running kernel; the role says how long it took. Reported are the
// medians per operation and their ratio, which is what counts: the machine's
// pace cancels out of it.

// BenchmarkConnectAccept is a connection made, accepted and closed in one
// thread.
func BenchmarkConnectAccept(b *testing.B) {
	const n = 1000
	for _, c := range []struct {
		name string
		opts Options
	}{{"direct", Options{}}, {"pumped", Options{NeverDirect: true}}} {
		b.Run(c.name, func(b *testing.B) { compare(b, c.opts, n, "connections", strconv.Itoa(n)) })
	}
}

// compare runs a role, which prints the nanoseconds that n operations took.
func compare(b *testing.B, opts Options, n int, role string, args ...string) {
	v := newVirtual(b, opts)
	env := []string{roleVariable + "=" + role}
	argv := append([]string{selfPath(b)}, args...)
	var hosted, native []float64
	for b.Loop() {
		out, status := v.run(b, env, argv...)
		if status != 0 {
			b.Fatalf("status %d: %s", status, out)
		}
		hosted = append(hosted, nanoseconds(b, out)/float64(n))
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), env...)
		text, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, text)
		}
		native = append(native, nanoseconds(b, string(text))/float64(n))
	}
	b.ReportMetric(0, "ns/op") // of the round, with its processes' starts
	b.ReportMetric(median(hosted)/1000, "hosted-µs")
	b.ReportMetric(median(native)/1000, "native-µs")
	b.ReportMetric(median(hosted)/median(native), "hosted/native")
	b.ReportMetric(slices.Min(hosted)/slices.Min(native), "best/best")
}

func nanoseconds(b *testing.B, text string) float64 {
	ns, err := strconv.ParseFloat(text, 64)
	if err != nil {
		b.Fatal(err)
	}
	return ns
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

func roleConnections() int {
	n, err := strconv.Atoi(os.Args[1])
	must(err)
	lockThread()
	must(makeConnections(n / 10)) // until caches are warm
	began := time.Now()
	must(makeConnections(n))
	fmt.Print(time.Since(began).Nanoseconds())
	return 0
}

func makeConnections(n int) error {
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(l)
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(l, 16); err != nil {
		return err
	}
	to, err := unix.Getsockname(l)
	if err != nil {
		return err
	}
	for range n {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(c, to); err != nil {
			return err
		}
		// Not unix.Accept, which also asks for SO_PROTOCOL.
		var from unix.RawSockaddrAny
		size := uint32(unix.SizeofSockaddrAny)
		a, _, e := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(l), uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)), unix.SOCK_CLOEXEC, 0, 0)
		if e != 0 {
			return e
		}
		unix.Close(c)
		unix.Close(int(a))
	}
	return nil
}
