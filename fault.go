// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// Fault is a rule that makes connects fail, whatever the network would have said: the third connect from app.test to
// db.test's port 5432 fails with ETIMEDOUT, say. A connect that matches all that the rule names fails at once, with
// nothing sent, and leaves the socket as it was. Zero values match everything. A dial connects once for each address that
// it tries, so that one by a name with two addresses gets over one failure; getaddrinfo(3) of hosted programs connects UDP
// sockets, to learn which address is best, so that a fault that counts theirs names the protocol.
type Fault struct {
	From    string // the name of the host that connects
	Process string // the program's name: [socket.Caller].Name
	// To is whom it connects to: a name of the network (that of a host means all its addresses), an address, a prefix,
	// or the name of a UNIX socket: /run/s, or @s in the abstract space.
	To       string
	Protocol wire.Protocol // of the internet socket; 0: any, and AF_UNIX
	Port     uint16        // of TCP and UDP
	// Nth is the first of the matching connects to fail, counted from 1, and Times how many fail from then on; 0 is 1,
	// and all.
	Nth, Times int
	// Errno is the error. It must be given.
	Errno errno.Errno
}

// Fault adds a rule to the network. Each rule counts the connects that match it; of several whose turn it is the first
// that was added decides. remove ends the rule. Names in f stand for the addresses they have now. An error says what in f
// names nothing.
func (n *Network) Fault(f Fault) (remove func(), err error) {
	r := &faultRule{Fault: f}
	if f.Errno == errno.OK {
		return nil, errors.New("a fault needs an errno")
	}
	if f.Nth < 0 || f.Times < 0 {
		return nil, fmt.Errorf("a fault counts from 1, for a number of times: Nth is %d, Times %d", f.Nth, f.Times)
	}
	if f.From != "" {
		if _, ok := n.Lookup(f.From); !ok {
			return nil, fmt.Errorf("the From of a fault: there is no host %s", f.From)
		}
	}
	if r.prefixes, err = n.prefixes(f.To); err != nil {
		return nil, fmt.Errorf("the To of a fault, %q: %w", f.To, err)
	}
	if r.unix = f.To; len(r.prefixes) > 0 {
		r.unix = ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.faults == nil {
		n.faults = &faults{}
		for _, h := range n.hosts {
			h.setFaults(n.faults)
		}
	}
	n.faults.change(func(all []*faultRule) []*faultRule { return append(all, r) })
	return func() {
		n.faults.change(func(all []*faultRule) []*faultRule {
			return slices.DeleteFunc(all, func(x *faultRule) bool { return x == r })
		})
	}, nil
}

// prefixes returns the addresses that the To of a fault stands for; none: any, or a UNIX socket.
func (n *Network) prefixes(to string) ([]netip.Prefix, error) {
	if to == "" || to[0] == '/' || to[0] == '@' {
		return nil, nil
	}
	if p, err := netip.ParsePrefix(to); err == nil {
		return []netip.Prefix{p.Masked()}, nil
	}
	ips, ok := written(nil, to)
	if !ok {
		var err error
		if ips, err = n.known(nil, to); err != nil {
			return nil, err
		}
	}
	var all []netip.Prefix
	for _, ip := range ips {
		all = append(all, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return all, nil
}

// faultRule is a rule at work.
type faultRule struct {
	Fault
	prefixes []netip.Prefix // of To
	unix     string         // To, if it is the name of a UNIX socket
	seen     int            // connects that matched
}

// faults are the rules of a network, for all its hosts.
type faults struct {
	mu    sync.Mutex // a leaf: taken with a host's lock held
	rules []*faultRule
}

func (f *faults) change(how func([]*faultRule) []*faultRule) {
	f.mu.Lock()
	f.rules = how(f.rules)
	f.mu.Unlock()
}

// hostFaults are the faults as one host asks them.
type hostFaults struct {
	*faults
	host *Host
}

// Connect implements [socket.Faults].
func (h *hostFaults) Connect(c *socket.Call, s *socket.Socket, addr []byte) errno.Errno {
	if s.Type.ConnectionOriented() && s.State() != personality.Fresh {
		return errno.OK // it asks how an attempt stands
	}
	to, known := destination(addr)
	if !known {
		return errno.OK // AF_UNSPEC, or no address at all
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	failed := errno.OK
	for _, r := range h.rules {
		if !r.matches(h.host, c, s, to) {
			continue
		}
		r.seen++ // every rule counts, whichever decides
		first := max(r.Nth, 1)
		if r.seen < first || r.Times > 0 && r.seen >= first+r.Times || failed != errno.OK {
			continue
		}
		failed = r.Errno
		if c.Trail != nil {
			c.Trail.Decide(h.host.core.Now(), trail.Fault, "connect %d to %v: %s", r.seen, to, failed.Name())
		}
	}
	return failed
}

// destination reads an address as far as faults look at it.
func destination(addr []byte) (to sockaddr.Addr, known bool) {
	if len(addr) < sockaddr.LenFamily {
		return to, false
	}
	switch f := sockaddr.FamilyOf(addr); {
	case f == sockaddr.Inet && len(addr) >= sockaddr.LenInet:
		return sockaddr.ParseInet(addr), true
	case f == sockaddr.Inet6 && len(addr) >= sockaddr.LenInet6Short:
		to = sockaddr.ParseInet6(addr)
		to.IP = to.IP.Unmap()
		return to, true
	case f == sockaddr.Unix:
		return sockaddr.ParseUnix(addr), true
	}
	return to, false
}

func (r *faultRule) matches(h *Host, c *socket.Call, s *socket.Socket, to sockaddr.Addr) bool {
	if r.From != "" && key(r.From) != key(h.name) || r.Process != "" && (c.Caller == nil || c.Caller.Name != r.Process) {
		return false
	}
	if to.Family == sockaddr.Unix {
		return len(r.prefixes) == 0 && r.Protocol == 0 && r.Port == 0 && (r.unix == "" || r.unix == unixName(to))
	}
	// In 8 bits IPPROTO_MPTCP, 262, is TCP.
	if r.unix != "" || r.Port != 0 && r.Port != to.Port || r.Protocol != 0 && r.Protocol != wire.Protocol(s.Protocol) {
		return false
	}
	return len(r.prefixes) == 0 || slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(to.IP) })
}

// setFaults makes the host's connects ask f.
func (h *Host) setFaults(f *faults) {
	h.core.Lock()
	h.core.Faults = &hostFaults{f, h}
	h.core.Unlock()
}
