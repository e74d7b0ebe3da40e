// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// These benchmarks make the same calls here and, in turns, on the running kernel by bare system calls, all in one
// goroutine: ns/op is ours, kernel-ns/op the kernel's, ×kernel how much faster ours is. What package net costs on top is on
// neither side; the bench module has it on both.

// beside measures ours and theirs in turns.
func beside(b *testing.B, ours, theirs func() error) {
	const turn = 256
	var here, there time.Duration
	timed := func(took *time.Duration, n int, f func() error) {
		begin := time.Now()
		for range n {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		*took += time.Since(begin)
	}
	b.ReportAllocs() // the kernel's side has none
	b.ResetTimer()
	for left := b.N; left > 0; left -= turn {
		timed(&here, min(turn, left), ours)
		timed(&there, min(turn, left), theirs)
	}
	b.ReportMetric(float64(here)/float64(b.N), "ns/op")
	b.ReportMetric(float64(there)/float64(b.N), "kernel-ns/op")
	b.ReportMetric(float64(there)/float64(here), "×kernel")
}

// first returns the first error there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// theirListener listens on the running kernel.
func theirListener(b *testing.B, typ socket.Type, name string) (l int, to *unix.SockaddrUnix) {
	l = theirSocket(b, typ)
	to = &unix.SockaddrUnix{Name: name}
	if err := unix.Bind(l, to); err != nil {
		b.Fatal(err)
	}
	if typ.ConnectionOriented() {
		if err := unix.Listen(l, 8); err != nil {
			b.Fatal(err)
		}
	}
	return l, to
}

func theirSocket(b *testing.B, typ socket.Type) int {
	fd, err := unix.Socket(unix.AF_UNIX, int(typ), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	return fd
}

func BenchmarkConnectAcceptClose(b *testing.B) {
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket} {
		for _, kind := range []string{"abstract", "path"} {
			b.Run(typ.String()+"/"+kind, func(b *testing.B) {
				ourName, theirName := "\x00connect-bench", "@"+b.Name()
				if kind == "path" {
					ourName, theirName = "/connect-bench", filepath.Join(b.TempDir(), "s")
				}
				w := newOurWorld(b)
				l, to := newSocket(b, w.core, typ), sockaddr.OfUnix(ourName).Append(nil)
				listenAt(b, l, ourName, 8)
				theirs, theirTo := theirListener(b, typ, theirName)
				beside(b, func() error {
					w.connectOnce(l, to)
					return nil
				}, func() error {
					s, err := unix.Socket(unix.AF_UNIX, int(typ), 0)
					if err != nil {
						return err
					}
					if err := unix.Connect(s, theirTo); err != nil {
						return err
					}
					// unix.Accept would allocate for the address, which nobody asked for on our side either.
					a, _, en := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(theirs), 0, 0, 0, 0, 0)
					if en != 0 {
						return en
					}
					return first(unix.Close(s), unix.Close(int(a)))
				})
			})
		}
	}
}

// BenchmarkAssociate makes a datagram socket, connects and closes it.
func BenchmarkAssociate(b *testing.B) {
	w := newOurWorld(b)
	other, to := newSocket(b, w.core, socket.Dgram), sockaddr.OfUnix("\x00associate").Append(nil)
	if e := socket.Bind(&w.call, personality.Linux, other, sockaddr.Bytes(to)); e != errno.OK {
		b.Fatal(e)
	}
	_, theirTo := theirListener(b, socket.Dgram, "@"+b.Name())
	beside(b, func() error {
		w.connect(socket.Dgram, to).Close(&w.call)
		return nil
	}, func() error {
		s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		return first(unix.Connect(s, theirTo), unix.Close(s))
	})
}

// BenchmarkPass sends one message from one end of a socketpair to the other and receives it, and back.
func BenchmarkPass(b *testing.B) {
	for _, typ := range []socket.Type{socket.Stream, socket.SeqPacket, socket.Dgram} {
		for _, size := range []struct {
			name  string
			bytes int
		}{{"1B", 1}, {"1400B", 1400}, {"64KiB", 64 << 10}} {
			b.Run(typ.String()+"/"+size.name, func(b *testing.B) {
				w := newOurWorld(b)
				x, y, e := w.core.NewPair(&w.call, sockaddr.Unix, typ, 0)
				if e != errno.OK {
					b.Fatal(e)
				}
				theirs, err := unix.Socketpair(unix.AF_UNIX, int(typ), 0)
				if err != nil {
					b.Fatal(err)
				}
				data, room := make([]byte, size.bytes), make([]byte, size.bytes)
				pass := func(from, to int) error {
					if n, err := unix.Write(from, data); err != nil || n < len(data) {
						return first(err, unix.EMSGSIZE)
					}
					for left := len(data); left > 0; {
						n, err := unix.Read(to, room)
						if err != nil {
							return err
						}
						left -= n
					}
					return nil
				}
				b.SetBytes(2 * int64(size.bytes))
				beside(b, func() error {
					w.pass(x, y, data, room)
					w.pass(y, x, data, room)
					return nil
				}, func() error {
					return first(pass(theirs[0], theirs[1]), pass(theirs[1], theirs[0]))
				})
				unix.Close(theirs[0])
				unix.Close(theirs[1])
			})
		}
	}
}
