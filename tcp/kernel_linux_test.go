// SPDX-License-Identifier: Apache-2.0

package tcp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"dialtone/wire"

	"golang.org/x/sys/unix"
)

// The two ends of the TUN device: we are on one, the kernel on the other.
var (
	tunOurs   = netip.MustParseAddr("10.9.0.1")
	tunKernel = netip.MustParseAddr("10.9.0.2")
)

// tun is a connection of ours that talks with the running kernel through a TUN device, in real time, on a wire that
// loses a share of the packets.
type tun struct {
	testing.TB
	file   *os.File
	c      Conn
	start  time.Time
	chance *rand.Rand
	loss   float64
	lose   func(s *wire.Segment) bool // sees each segment, of either, and may lose it; may be nil
	listen *Config                    // where not nil: accept the next SYN
	buf    []byte
}

// newTUN makes a network namespace with a TUN device in it. The test's goroutine stays in there: its thread is not used
// again.
func newTUN(t *testing.T, loss float64) *tun {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace to be had (root is needed): %v", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no TUN device: %v", err)
	}
	var ifr struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(ifr.name[:], "tun0")
	ifr.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&ifr))); e != 0 {
		t.Fatalf("TUNSETIFF: %v", e)
	}
	for _, args := range [][]string{
		{"addr", "add", tunKernel.String(), "peer", tunOurs.String(), "dev", "tun0"},
		{"link", "set", "tun0", "up", "mtu", "1500"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
			t.Skip("no ip(8)")
		} else if err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	w := &tun{
		TB: t, file: os.NewFile(uintptr(fd), "tun"), start: time.Now(), chance: rand.New(rand.NewPCG(1, 2)), loss: loss,
		buf: make([]byte, 1<<16),
	}
	t.Cleanup(func() { w.file.Close() })
	return w
}

// now is the connection's clock.
func (w *tun) now() time.Duration { return time.Since(w.start) + start }

// run serves the connection until done.
func (w *tun) run(done func() bool) {
	w.Helper()
	limit := time.Now().Add(time.Minute)
	for {
		w.send()
		if done() {
			w.send()
			return
		}
		until := time.Now().Add(10 * time.Millisecond) // then done is asked again: the kernel's end may be what it waits for
		if at, ok := w.c.Deadline(); ok && w.start.Add(at-start).Before(until) {
			until = w.start.Add(at - start)
		}
		if time.Now().After(limit) {
			w.Fatalf("stuck, %v: %+v", w.c.Reason(), w.c.Info())
		}
		if err := w.file.SetReadDeadline(until); err != nil {
			w.Fatal(err)
		}
		n, err := w.file.Read(w.buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.c.Tick(w.now())
		case err != nil:
			w.Fatal(err)
		default:
			w.receive(bytes.Clone(w.buf[:n]))
		}
	}
}

// receive takes a packet from the kernel.
func (w *tun) receive(b []byte) {
	p, err := wire.Parse(b)
	if err == nil && (p.Proto != wire.TCP || p.Dst != tunOurs) {
		return // the kernel greets a new interface in several languages
	}
	if err != nil {
		w.Fatalf("the kernel sent %x: %v", b, err)
	}
	if w.chance.Float64() < w.loss || w.lose != nil && w.lose(&p.TCP) {
		return
	}
	if w.listen != nil && p.TCP.Flags == wire.SYN {
		w.c.Accept(w.now(), w.listen, &p.TCP, w.chance.Uint32(), 1460)
		w.listen = nil
		return
	}
	if ev := w.c.Receive(w.now(), &p.TCP); ev&Refuse != 0 {
		if reset, ok := ResetFor(&p.TCP); ok {
			w.put(&reset)
		}
	}
}

// send gives the kernel what the connection has to send.
func (w *tun) send() {
	var s wire.Segment
	for w.c.Next(w.now(), &s) {
		if w.chance.Float64() >= w.loss && (w.lose == nil || !w.lose(&s)) {
			w.put(&s)
		}
	}
}

func (w *tun) put(s *wire.Segment) {
	b, err := wire.Append(nil, &wire.Packet{Src: tunOurs, Dst: tunKernel, Proto: wire.TCP, TTL: 64, TCP: *s})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.file.Write(b); err != nil {
		w.Fatal(err)
	}
}

// transfer sends data and closes its half, and reads until the peer has closed.
func (w *tun) transfer(data []byte) (got []byte) {
	w.Helper()
	p := make([]byte, 5000)
	w.run(func() bool {
		if n := w.c.Write(data); n == len(data) {
			data = nil
			w.c.CloseWrite()
		} else {
			data = data[n:]
		}
		for n := w.c.Read(p); n > 0; n = w.c.Read(p) {
			got = append(got, p[:n]...)
		}
		return w.c.State() == TimeWait || w.c.State() == Closed
	})
	return got
}

// kernelEnd is what the kernel's socket does: it reads everything while it writes its own.
func kernelEnd(conn net.Conn, data []byte) ([]byte, error) {
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(data)
		wrote <- errors.Join(err, conn.(*net.TCPConn).CloseWrite())
	}()
	got, err := io.ReadAll(conn)
	return got, errors.Join(err, <-wrote, conn.Close())
}

// TestKernel_transfer: up to a megabyte each way between us and the running kernel, opened by either, also with loss.
func TestKernel_transfer(t *testing.T) {
	all := Defaults()
	none := all
	none.WindowScale, none.Timestamps, none.SACK = false, false, false
	for _, c := range []struct {
		name   string
		cfg    Config
		loss   float64
		active bool
	}{
		{"we connect", all, 0, true},
		{"we accept", all, 0, false},
		{"without options", none, 0, true},
		{"we connect, 5 % lost", all, 0.05, true},
		{"we accept, 5 % lost", all, 0.05, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTUN(t, c.loss)
			type result struct {
				got []byte
				err error
			}
			kernel := make(chan result, 1)
			size := 1 << 20
			if c.loss > 0 {
				size = 1 << 18 // each timeout takes real time
			}
			ours, theirs := random(size, 1), random(size, 2)
			if c.active {
				l, err := net.Listen("tcp4", netip.AddrPortFrom(tunKernel, 0).String())
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					conn, err := l.Accept()
					if err != nil {
						kernel <- result{nil, err}
						return
					}
					got, err := kernelEnd(conn, theirs)
					kernel <- result{got, errors.Join(err, l.Close())}
				}()
				w.c.Open(w.now(), &c.cfg, 40000, l.Addr().(*net.TCPAddr).AddrPort().Port(), 12345, 1460)
			} else {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) // made here, in this namespace
				if err != nil {
					t.Fatal(err)
				}
				w.listen = &c.cfg
				go func() {
					if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 80, Addr: tunOurs.As4()}); err != nil {
						kernel <- result{nil, err}
						return
					}
					file := os.NewFile(uintptr(fd), "socket")
					conn, err := net.FileConn(file)
					if err != nil {
						kernel <- result{nil, err}
						return
					}
					got, err := kernelEnd(conn, theirs)
					kernel <- result{got, errors.Join(err, file.Close())}
				}()
			}
			w.run(func() bool { return w.c.State().synchronized() })
			if got := w.transfer(ours); !bytes.Equal(got, theirs) {
				t.Errorf("we got %d bytes, not those sent; %v %v", len(got), w.c.State(), w.c.Reason())
			}
			if i := w.c.Info(); i.Timestamps != c.cfg.Timestamps || i.WindowScale != c.cfg.WindowScale || i.SACK != c.cfg.SACK {
				t.Errorf("options: %+v", i)
			}
			// The kernel may still wait for our last ACK, or for a reset.
			var r result
			w.run(func() bool {
				select {
				case r = <-kernel:
					return true
				default:
					return false
				}
			})
			if r.err != nil || !bytes.Equal(r.got, ours) {
				t.Errorf("the kernel got %d bytes, not those sent: %v", len(r.got), r.err)
			}
		})
	}
}

// TestKernel_nobodyListens_refused: the kernel's reset reaches us, and ours reaches it.
func TestKernel_nobodyListens_refused(t *testing.T) {
	w := newTUN(t, 0)
	cfg := Defaults()
	w.c.Open(w.now(), &cfg, 40000, 1, 12345, 1460)
	w.run(func() bool { return w.c.State() == Closed })
	if w.c.Reason() != Refused {
		t.Errorf("we: %v, want refused", w.c.Reason())
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan error, 1)
	go func() {
		refused <- errors.Join(unix.Connect(fd, &unix.SockaddrInet4{Port: 80, Addr: tunOurs.As4()}), unix.Close(fd))
	}()
	w.run(func() bool {
		select {
		case err = <-refused:
			return true
		default:
			return false
		}
	})
	if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("the kernel: %v, want ECONNREFUSED", err)
	}
}
