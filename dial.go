// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// Dial connects to an address, as [net.Dial] does: network is tcp, udp, unix, unixgram or unixpacket, tcp and udp may
// have 4 or 6 added. Names are those of the network. It waits as long as the host's system would.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext is [Host.Dial] that ends when ctx does: what [net/http.Transport] and many others take.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return h.dialer.DialContext(ctx, network, address)
}

// trailKey is a context's key for a trail.
type trailKey struct{}

// WithTrail returns a context with which [Dialer.DialContext] says in t why its connects ended as they did. It is for one dial
// at a time, and to be read when that has returned: a [net/http.Transport] may go on dialing after the request has failed.
func WithTrail(ctx context.Context, t *trail.Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// DialContext connects to an address, as [net.Dialer.DialContext] does. Errors are *[net.OpError].
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Host == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("Dialer.Host is not set: nobody dials")}
	}
	d.Host.network.clock.Check()
	deadline := d.deadline()
	var room [2]target // for the addresses of most names
	targets, err := d.targets(ctx, room[:0], network, address, deadline)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if len(targets) > 1 && d.FallbackDelay >= 0 && strings.HasPrefix(network, "tcp") {
		return d.race(ctx, network, interleave(targets), deadline)
	}
	return d.serial(ctx, network, targets, deadline)
}

// Dial is [Dialer.DialContext] without a context.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// serial tries one address after the other. Each may take its share of the time that is left, but no less than two
// seconds if there are as many. The first error is the one that is told.
func (d *Dialer) serial(ctx context.Context, network string, targets []target, deadline time.Duration) (net.Conn, error) {
	var first error
	for i, to := range targets {
		until := deadline
		if left := len(targets) - i; deadline != never && left > 1 {
			now := d.Host.core.Now()
			until = min(deadline, now+max((deadline-now)/time.Duration(left), 2*time.Second))
		}
		c, err := d.dialOne(ctx, network, to, until)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// dialOne connects to one address, and waits for it. It tries again where the socket happened to meet itself: a port
// chosen for it may be the very one it connects to, and TCP opens then (RFC 9293, 3.5, simultaneous open).
func (d *Dialer) dialOne(ctx context.Context, network string, to target, deadline time.Duration) (net.Conn, error) {
	for again := 2; ; again-- {
		a, err := d.dialOnce(ctx, network, to, deadline)
		if err != nil {
			return nil, err
		}
		if again == 0 || d.LocalAddr != nil || !a.call.ToItself {
			return a.connected(), nil
		}
		a.sock.Close(&a.call)
	}
}

func (d *Dialer) dialOnce(ctx context.Context, network string, to target, deadline time.Duration) (*attempt, error) {
	core := d.Host.core
	if err := ctx.Err(); err != nil {
		return nil, d.failed(network, to, ended(err))
	}
	if deadline != never && deadline <= core.Now() {
		return nil, d.failed(network, to, timeoutError{})
	}
	a, err := d.open(ctx, network, to)
	if err != nil {
		return nil, err
	}
	if deadline != never {
		timer := core.Clock.AfterFunc(deadline-core.Now(), func() { a.call.Cancel(core) })
		defer timer.Stop()
	}
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() { a.call.Cancel(core) })()
	}
	e := a.connect()
	if e == errno.OK {
		return a, nil
	}
	a.sock.Close(&socket.Call{})
	if e != errno.ECANCELED {
		return nil, d.failed(network, to, os.NewSyscallError("connect", e.Syscall()))
	}
	if err := ctx.Err(); err != nil {
		return nil, d.failed(network, to, ended(err))
	}
	return nil, d.failed(network, to, timeoutError{})
}

// attempt is a connect under way.
type attempt struct {
	host    *Host
	network string
	to      target
	sock    *socket.Socket
	call    socket.Call
	raw     [sockaddr.LenInet6]byte // room for the address's bytes
}

// connect is connect(2), and again connect(2) to ask how it stands.
func (a *attempt) connect() errno.Errno { return a.sock.Connect(&a.call, a.to.addr.Append(a.raw[:0])) }

// open makes the socket of an attempt, lets Control see it, and binds it to LocalAddr.
func (d *Dialer) open(ctx context.Context, network string, to target) (*attempt, error) {
	typ, _ := kind(network)
	a := &attempt{host: d.Host, network: network, to: to}
	a.call.Trail, _ = ctx.Value(trailKey{}).(*trail.Trail)
	var e errno.Errno
	if a.sock, e = d.Host.core.NewSocket(&a.call, to.addr.Family, typ, 0); e != errno.OK {
		return nil, d.failed(network, to, os.NewSyscallError("socket", e.Syscall()))
	}
	if err := d.prepare(ctx, a); err != nil {
		a.sock.Close(&socket.Call{})
		return nil, d.failed(network, to, err)
	}
	return a, nil
}

// prepare does to the socket of an attempt what is done before connect.
func (d *Dialer) prepare(ctx context.Context, a *attempt) error {
	defaultOptions(&a.call, a.sock, a.network)
	control := d.ControlContext
	if control == nil && d.Control != nil {
		control = ignoringContext(d.Control)
	}
	if control != nil {
		e := &endpoint{host: d.Host, sock: a.sock, network: a.network}
		if err := control(ctx, versioned(a.network, a.to.addr), d.Host.shown(a.network, a.to).String(), e.RawConn()); err != nil {
			return err
		}
	}
	if err := d.keepAlive(a); err != nil {
		return err
	}
	if d.LocalAddr == nil {
		return nil
	}
	local, _ := d.Host.socketAddr(d.LocalAddr) // targets has looked at it
	if a.to.addr.Family == sockaddr.Inet6 && local.Family == sockaddr.Inet {
		local = wildcard6(local.Port) // only a wildcard can be of the other version here
	} else if a.to.addr.Family == sockaddr.Inet && local.Family == sockaddr.Inet6 {
		local = ofWildcard4(local.Port)
	}
	if e := socket.Bind(&a.call, d.Host.core.Personality, a.sock, local.Raw()); e != errno.OK {
		return os.NewSyscallError("bind", e.Syscall())
	}
	return nil
}

// connected takes the socket of an attempt that succeeded over.
func (a *attempt) connected() net.Conn {
	if a.sock.Type == socket.Dgram {
		c := newPacketConn(a.host, a.sock, a.network)
		if c.RemoteAddr() == nil { // to port 0: getpeername(2) knows no peer, package net says whom it asked for
			c.names.Store(&names{c.LocalAddr(), a.host.shown(a.network, a.to)})
		}
		return c
	}
	return newConn(a.host, a.sock, a.network)
}

// failed shapes an error as package net does.
func (d *Dialer) failed(network string, to target, err error) error {
	return &net.OpError{Op: "dial", Net: network, Source: d.LocalAddr, Addr: d.Host.shown(network, to), Err: err}
}
