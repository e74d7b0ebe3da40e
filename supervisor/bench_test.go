// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"io"
	"net"
	"net/netip"
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
		b.Run(c.name, func(b *testing.B) {
			v := newVirtual(b, c.opts)
			argv := []string{strconv.Itoa(n)}
			compare(b, v, n, "connections", argv, argv)
		})
	}
}

// BenchmarkBulk moves many bytes between a program and a server in this
// process; an operation is 64 KiB, which is what is written at a time.
func BenchmarkBulk(b *testing.B) {
	const n = 1000
	for role, serve := range map[string]func(net.Listener){"upload": discard, "download": generate} {
		b.Run(role, func(b *testing.B) {
			v := newVirtual(b, Options{})
			l, err := v.web.Listen("tcp", ":9")
			must(err)
			native, err := net.Listen("tcp", "127.0.0.1:0")
			must(err)
			for _, l := range []net.Listener{l, native} {
				go serve(l)
				b.Cleanup(func() { l.Close() })
			}
			argv := func(address string) []string { return []string{strconv.Itoa(n), address} }
			compare(b, v, n, role, argv(v.webIP()+":9"), argv(native.Addr().String()))
		})
	}
}

// generate sends bytes for as long as somebody takes them.
func generate(l net.Listener) {
	chunk := make([]byte, 64<<10)
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		for err == nil {
			_, err = c.Write(chunk)
		}
		c.Close()
	}
}

// discard reads what comes, and answers its end with a byte.
func discard(l net.Listener) {
	buf := make([]byte, 256<<10)
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		for err == nil {
			_, err = c.Read(buf)
		}
		if err == io.EOF {
			_, _ = c.Write([]byte{1}) // else the role says that it is missing
		}
		c.Close()
	}
}

// bulk connects to its second argument, and returns its first.
func bulk() (n, fd int, chunk []byte) {
	n, err := strconv.Atoi(os.Args[1])
	must(err)
	lockThread()
	to := netip.MustParseAddrPort(os.Args[2])
	fd = stream()
	must(unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}))
	return n, fd, make([]byte, 64<<10)
}

func roleDownload() int {
	n, fd, chunk := bulk()
	began := time.Now()
	for rest := n * len(chunk); rest > 0; {
		m, err := unix.Read(fd, chunk)
		must(err)
		rest -= m
	}
	fmt.Print(time.Since(began).Nanoseconds())
	return 0
}

func roleUpload() int {
	n, fd, chunk := bulk()
	began := time.Now()
	for range n {
		for rest := chunk; len(rest) > 0; {
			m, err := unix.Write(fd, rest)
			must(err)
			rest = rest[m:]
		}
	}
	must(unix.Shutdown(fd, unix.SHUT_WR))
	if m, err := unix.Read(fd, chunk); m != 1 {
		panic(fmt.Sprint("no byte at the end: ", err))
	}
	fmt.Print(time.Since(began).Nanoseconds())
	return 0
}

// compare runs a role, which prints the nanoseconds that n operations took,
// with one argv hosted and the other on the kernel.
func compare(b *testing.B, v *virtual, n int, role string, argvHosted, argvNative []string) {
	env := []string{roleVariable + "=" + role}
	var hosted, native []float64
	for b.Loop() {
		out, status := v.run(b, env, append([]string{selfPath(b)}, argvHosted...)...)
		if status != 0 {
			b.Fatalf("status %d: %s", status, out)
		}
		hosted = append(hosted, nanoseconds(b, out)/float64(n))
		cmd := exec.Command(selfPath(b), argvNative...)
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
