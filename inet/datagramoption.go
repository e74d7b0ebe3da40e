// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Option implements [socket.Endpoint].
func (d *datagram) Option(_ *socket.Call, level, name int) ([]byte, errno.Errno) {
	if egressOption(level, name) && d.hold.knows(level) {
		return d.egressValue(level, name), errno.OK
	}
	switch (storedKey{level, name}) {
	case storedKey{socket.SolSocket, socket.SoBindToIndex}:
		return d.stack.deviceIndex(d.sock), errno.OK
	case storedKey{solIPv6, ipv6AddrForm}:
		if !d.portless && d.hold.knows(level) {
			return addrForm(d.family, d.remote.IsValid())
		}
	case storedKey{solIP, ipMTU}, storedKey{solIPv6, ipv6MTU}, storedKey{solIPv6, ipv6PathMTU}:
		if d.hold.knows(level) {
			mtu := 0
			if out := d.connectedBy(); out != nil {
				mtu = d.stack.mtuTo(d.remote.Addr(), out.MTU())
			}
			return mtuOption(name, d.remote.Addr(), mtu)
		}
	}
	return d.opts.option(d.stack, &d.hold, level, name)
}

// connectedBy returns the interface that leads to the peer, nil if there is none.
func (d *datagram) connectedBy() *Interface {
	if !d.remote.IsValid() {
		return nil
	}
	to := d.Remote()
	to.IP = d.remote.Addr()
	w, e := d.way(&to, false, nil, nil)
	if e != errno.OK {
		return nil
	}
	return w.out
}

// SetOption implements [socket.Endpoint].
func (d *datagram) SetOption(call *socket.Call, level, name int, value []byte) errno.Errno {
	if c, ok := sourceOption(level, name); ok && d.hold.knows(level) {
		return d.setSource(level, name, c, value)
	}
	switch {
	case deviceOption(level, name):
		return d.stack.setDevice(call, d.sock, name, value)
	case groupOption(level, name) && d.hold.knows(level):
		return d.setGroup(level, name, value)
	case egressOption(level, name) && d.hold.knows(level):
		return d.setEgress(level, name, value)
	case level == solIPv6 && name == ipv6AddrForm && d.hold.knows(level):
		switch {
		case len(value) < 4:
			return errno.EINVAL
		case !d.portless:
			return becomeIPv4(d.sock, &d.family, socket.IntValue(value), d.remote.IsValid(), d.remote)
		case socket.IntValue(value) != int(sockaddr.Inet):
			return errno.EINVAL
		}
	}
	e := d.opts.set(call, &d.hold, level, name, value)
	d.uncork(call)
	return e
}
