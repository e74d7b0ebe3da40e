// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"strings"

	"dialtone"
	"dialtone/conformance"
	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// process is a caller on a host.
type process struct {
	*dialtone.Process
	host    *host
	names   map[int]string // what the script calls the descriptors in an epoll set
	threads []*thread
}

// stop is SIGSTOP, or SIGCONT: to a call that waits both together are a signal without a handler, which ends it if it
// may not be restarted (signal(7), "Interruption of system calls and library functions by stop signals").
func (p *process) stop(goOn bool) {
	if !goOn {
		return
	}
	for _, t := range p.threads {
		if !t.done {
			t.as.Interrupt(true)
		}
	}
}

// capabilities are those that sockets ask for, by their numbers in capabilities(7).
var capabilities = map[string]socket.Caps{
	"CAP_NET_BIND_SERVICE": socket.NetBindService, "CAP_NET_ADMIN": socket.NetAdmin, "CAP_NET_RAW": socket.NetRaw,
	"CAP_DAC_OVERRIDE": socket.DACOverride, "CAP_DAC_READ_SEARCH": socket.DACReadSearch, "CAP_SYS_ADMIN": socket.SysAdmin,
	"CAP_SETUID": socket.SetUID, "CAP_SETGID": socket.SetGID,
}

// credential changes whom the process's later calls are by. An effective user other than root has no capabilities, and
// root gets them back (capabilities(7), "Effect of user ID changes on capabilities").
func (t *thread) credential(c conformance.Call) errno.Errno {
	caller := t.process.Caller()
	n := uint32(c.Args[0].Int)
	switch c.Name {
	case "seteuid":
		if n != 0 && caller.UID == 0 && !caller.May(socket.SetUID) {
			return errno.EPERM
		}
		switch {
		case n != 0 && caller.UID == 0:
			caller.Caps = 0
		case n == 0 && caller.UID != 0:
			caller.Caps = socket.AllCaps
		}
		caller.UID = n
	case "setegid":
		caller.GID = n
	case "setgroups":
		caller.Groups = nil
		for _, a := range c.Args {
			caller.Groups = append(caller.Groups, uint32(a.Int))
		}
	default: // capset
		caller.Caps = 0
		for name := range strings.SplitSeq(c.Args[0].Text, "|") {
			caller.Caps |= capabilities[name]
		}
	}
	return errno.OK
}

// raw is an address as a call gets it.
func (h *host) raw(a conformance.Address) (sockaddr.Raw, error) {
	r := sockaddr.Raw{Len: int(a.Len)}
	switch a.Pointer {
	case conformance.PointerNull:
		return r, nil
	case conformance.PointerBad, conformance.PointerKernel:
		r.Mem = []byte{} // not even the first byte can be read
		return r, nil
	}
	if a.Zone != "" {
		i := h.interfaceNamed(a.Zone)
		if i == nil {
			return r, conformance.NotRun("host %s has no interface %s", h.Name(), a.Zone)
		}
		a.Bytes[24] = byte(i.Index) // scope ids here are small, and Linux's order is little-endian
	}
	r.Mem = a.Storage()
	return r, nil
}

// text writes an address as scripts do.
func (h *host) text(a sockaddr.Addr) string {
	if a == (sockaddr.Addr{}) || a.Family == sockaddr.Unix && a.Name == "" {
		return conformance.AddressText(a.Append(nil), nil)
	}
	return conformance.AddressText(a.Append(nil), h.interfaceName)
}

func (h *host) interfaceName(index int) string {
	for _, i := range h.Stack().Interfaces() {
		if i.Index == index {
			return i.Name
		}
	}
	return conformance.Number(index)
}
