// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Whatever one program asks for at once, the others' calls are served
// meanwhile: nothing holds the supervisor's lock for long.
func TestGreedy(t *testing.T) {
	for _, kind := range []string{"sendmmsg", "recvmmsg", "flood", "flooded", "dumps"} {
		t.Run(kind, func(t *testing.T) {
			v := newVirtual(t, Options{})
			v.serveEcho(t)
			var longest time.Duration
			stop := make(chan struct{})
			var watch sync.WaitGroup
			watch.Go(func() {
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						return
					case <-tick.C:
					}
					began := time.Now()
					v.sup.mu.Lock()
					longest = max(longest, time.Since(began))
					v.sup.mu.Unlock()
				}
			})
			got := v.role(t, "greedy", kind, v.webIP())
			close(stop)
			watch.Wait()
			if got != "ok" {
				t.Errorf("the target says %q", got)
			}
			if longest > time.Second { // a sendmmsg at its worst took 1.7 s, on a machine with nothing else to do
				t.Errorf("the supervisor was locked for %v", longest)
			}
		})
	}
}

// mmsghdr is struct mmsghdr (sendmmsg(2)).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// vectors makes n message headers of as many iovecs of one byte each as there can be.
func vectors(n int) []mmsghdr {
	data := make([]byte, maxIovecs)
	iov := make([]unix.Iovec, maxIovecs)
	for i := range iov {
		iov[i] = unix.Iovec{Base: &data[i], Len: 1}
	}
	m := make([]mmsghdr, n)
	for i := range m {
		m[i].hdr = unix.Msghdr{Iov: &iov[0], Iovlen: maxIovecs}
	}
	return m
}

func mmsg(nr uintptr, fd int, m []mmsghdr, flags int) (int, unix.Errno) {
	n, _, e := unix.Syscall6(nr, uintptr(fd), uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(flags), 0, 0)
	return int(n), e
}

// roleGreedy asks for much at once.
func roleGreedy() int {
	d, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	must(err)
	to := &unix.SockaddrInet4{Addr: [4]byte(parseIPv4(argument(2))), Port: 7}
	switch argument(1) {
	case "sendmmsg":
		var sa unix.RawSockaddrInet4
		sa.Family, sa.Port, sa.Addr = unix.AF_INET, 9<<8, to.Addr
		m := vectors(maxIovecs)
		for i := range m {
			m[i].hdr.Name, m[i].hdr.Namelen = (*byte)(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet4
		}
		for left := m; len(left) > 0; {
			n, e := mmsg(unix.SYS_SENDMMSG, d, left, 0)
			if e != 0 || n == 0 {
				panic(fmt.Sprintf("sendmmsg: %d, %v with %d left", n, e, len(left)))
			}
			left = left[n:]
		}
	case "recvmmsg":
		must(unix.Sendto(d, make([]byte, maxIovecs), 0, to))
		m := vectors(maxIovecs)
		n, e := mmsg(unix.SYS_RECVMMSG, d, m, unix.MSG_PEEK)
		if e != 0 || n == 0 || m[0].len != maxIovecs {
			panic(fmt.Sprintf("recvmmsg: %d of %d, %v", n, m[0].len, e))
		}
	case "flood", "flooded":
		if argument(1) == "flood" {
			deaf, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0) // what comes is soon dropped
			must(err)
			to = &unix.SockaddrInet4{Addr: loopback, Port: 9}
			must(unix.Bind(deaf, to))
		}
		must(unix.Connect(d, to))
		until := time.Now().Add(time.Second)
		var wg sync.WaitGroup
		var x byte
		for range 2 {
			wg.Go(func() {
				for time.Now().Before(until) {
					for range 1000 {
						_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(d), uintptr(unsafe.Pointer(&x)), 1)
					}
				}
			})
		}
		for time.Now().Before(until) {
			_, err := unix.Getsockname(d) // needs the lock as well
			must(err)
		}
		wg.Wait()
	case "dumps":
		n, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
		must(err)
		one := make([]byte, unix.SizeofNlMsghdr)
		h := (*unix.NlMsghdr)(unsafe.Pointer(&one[0]))
		h.Len, h.Type, h.Flags = unix.SizeofNlMsghdr, unix.RTM_GETROUTE, unix.NLM_F_REQUEST|unix.NLM_F_DUMP
		var all []byte
		for len(all) < 64000 {
			all = append(all, one...)
		}
		must(unix.Sendto(n, all, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	}
	fmt.Print("ok")
	return 0
}
