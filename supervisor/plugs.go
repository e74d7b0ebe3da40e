// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import "golang.org/x/sys/unix"

// plugs makes the S of a T that connects, and probes names. The supervisor's
// lock guards it.
type plugs struct {
	listener int // of our own
	name     string
	// probe is a socket without a name; see taken.
	probe int
	// unmet is how many connections to the listener could not be accepted, for
	// want of descriptors. They come before any other.
	unmet int
}

// newPlugs makes plugs for T of a type.
func newPlugs(typ int, name string) (*plugs, unix.Errno) {
	p := &plugs{listener: -1, probe: -1, name: name}
	var e unix.Errno
	if p.listener, e = nativeSocket(typ | unix.SOCK_NONBLOCK); e == 0 {
		if e = bindNative(p.listener, name); e == 0 {
			e = errnoOf(unix.Listen(p.listener, nativeBacklog))
		}
	}
	if e == 0 {
		p.probe, e = nativeSocket(unix.SOCK_STREAM)
	}
	if e != 0 {
		p.close()
		return nil, e
	}
	return p, 0
}

// plug connects T to an S of our own. After an error T is of no use any more.
func (p *plugs) plug(dup int) (s int, e unix.Errno) {
	for ; p.unmet > 0; p.unmet-- {
		s, e := acceptNative(p.listener, unix.SOCK_NONBLOCK)
		if e != 0 {
			return -1, e
		}
		unix.Close(s)
	}
	if e := connectNative(dup, p.name); e != 0 {
		return -1, e
	}
	for {
		s, e := acceptNative(p.listener, unix.SOCK_NONBLOCK)
		if e != 0 {
			p.unmet++
			return -1, e
		}
		if connectedByUs(s) {
			return s, 0
		}
		unix.Close(s) // somebody on the real machine found the name
	}
}

// taken reports whether a socket with the name is open somewhere: it can't be
// bound to then.
func (p *plugs) taken(name string) bool {
	if bindNative(p.probe, name) == unix.EADDRINUSE {
		return true
	}
	fd, e := nativeSocket(unix.SOCK_STREAM)
	if e != 0 {
		return true // the name stays with the probe
	}
	unix.Close(p.probe) // it has the name now
	p.probe = fd
	return false
}

func (p *plugs) close() {
	for _, fd := range []int{p.listener, p.probe} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
