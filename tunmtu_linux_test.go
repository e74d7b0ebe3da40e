// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/inet"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// behind makes the machine a router to a network namespace behind it, over a link that takes packets of mtu bytes there, and
// returns a listener in it for each address: 192.0.2.2 and fd01::2.
func behind(t *testing.T, mtu int) []net.Listener {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip(err)
	}
	type far struct {
		listeners []net.Listener
		err       error
	}
	thread, linked, done := make(chan int), make(chan bool), make(chan far, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, and the namespace, end with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			thread <- 0
			done <- far{err: err}
			return
		}
		f := far{err: setting("net/ipv6/conf/default/accept_dad", "0")}
		thread <- unix.Gettid()
		if !<-linked || f.err != nil {
			done <- f
			return
		}
		f.err = ip("link set lo up", "link set far1 up", "addr add 192.0.2.2/24 dev far1", "addr add fd01::2/64 dev far1 nodad",
			"route add default via 192.0.2.1", "-6 route add default via fd01::1")
		for _, address := range []string{"192.0.2.2:0", "[fd01::2]:0"} {
			if f.err == nil {
				var l net.Listener
				l, f.err = net.Listen("tcp", address)
				f.listeners = append(f.listeners, l)
			}
		}
		done <- f
	}()
	if tid := <-thread; tid != 0 {
		err := errors.Join(setting("net/ipv6/conf/default/accept_dad", "0"), setting("net/ipv4/ip_forward", "1"),
			setting("net/ipv6/conf/all/forwarding", "1"),
			ip("link add far0 type veth peer name far1", fmt.Sprintf("link set far1 netns %d", tid),
				fmt.Sprintf("link set far0 mtu %d up", mtu), "addr add 192.0.2.1/24 dev far0", "addr add fd01::1/64 dev far0 nodad"))
		if linked <- err == nil; err != nil {
			t.Fatal(err)
		}
	}
	f := <-done
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.listeners
}

// setting sets a sysctl in the namespace of the thread.
func setting(name, value string) error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0o644) }

// ip runs ip(8) in the namespace of the thread.
func ip(commands ...string) error {
	for _, c := range commands {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %v: %s", c, err, out)
		}
	}
	return nil
}

// A router on the way takes less than the first link, and tells so: the connection's segments become smaller, and all arrives
// (RFC 1191, RFC 8201).
func TestTUN_narrowWay(t *testing.T) {
	w := newWired(t)
	const mtu, size = 1300, 1 << 20
	gateways := []netip.Addr{machine4.Addr(), machine6.Addr()}
	for i, l := range behind(t, mtu) {
		defer l.Close()
		to := l.Addr().(*net.TCPAddr).AddrPort()
		prefix := netip.PrefixFrom(to.Addr(), to.Addr().BitLen())
		if err := w.here.Stack().AddRoute(inet.Route{Prefix: prefix, Gateway: gateways[i], Interface: w.here.Stack().Interfaces()[1]}); err != nil {
			t.Fatal(err)
		}
		p := w.here.NewProcess()
		family, level, name := sockaddr.Inet, unix.IPPROTO_IP, unix.IP_MTU
		if to.Addr().Is6() {
			family, level, name = sockaddr.Inet6, unix.IPPROTO_IPV6, unix.IPV6_MTU
		}
		fd, err := p.Socket(family, int(socket.Stream), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Connect(fd, sockaddr.Of(to).Raw()); err != nil {
			t.Fatal(err)
		}
		got := make(chan int64)
		go func() {
			n := int64(0)
			if s, err := l.Accept(); err == nil {
				s.SetDeadline(time.Now().Add(time.Minute))
				n, _ = io.Copy(io.Discard, s)
				s.Close()
			}
			got <- n
		}()
		for sent := 0; sent < size; {
			n, err := p.Send(fd, make([]byte, size-sent), 0)
			if err != nil {
				t.Fatal(err)
			}
			sent += n
		}
		if n, err := p.GetsockoptInt(fd, level, name); n != mtu || err != nil {
			t.Errorf("to %v: an MTU of %d, %v; want %d", to, n, err, mtu)
		}
		if err := p.Shutdown(fd, socket.ShutWR); err != nil {
			t.Error(err)
		}
		if n := <-got; n != size {
			t.Errorf("to %v: %d bytes arrived, want %d", to, n, size)
		}
		p.Exit()
	}
}
