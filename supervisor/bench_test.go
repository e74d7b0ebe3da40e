// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkConnectAccept is a connection made, accepted and closed in one
// hosted thread. native-ratio is its time as a multiple of the kernel's own.
func BenchmarkConnectAccept(b *testing.B) {
	for _, c := range []struct {
		name string
		opts Options
	}{{"direct", Options{}}, {"pumped", Options{NeverDirect: true}}} {
		b.Run(c.name, func(b *testing.B) {
			v := newVirtual(b, c.opts)
			out, status := v.run(b, []string{roleVariable + "=connections"}, selfPath(b), strconv.Itoa(b.N))
			if status != 0 || out != "" {
				b.Fatalf("status %d: %s", status, out)
			}
		})
	}
	b.Run("native", func(b *testing.B) { must(makeConnections(b.N)) })
}

func roleConnections() int {
	n, err := strconv.Atoi(os.Args[1])
	must(err)
	if err := makeConnections(n); err != nil {
		fmt.Print(err)
		return 1
	}
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
		a, _, err := unix.Accept(l)
		if err != nil {
			return err
		}
		unix.Close(c)
		unix.Close(a)
	}
	return nil
}
