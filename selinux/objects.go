// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"fmt"
	"net/netip"
)

// IP protocol numbers of sockets whose ports are labelled by another's rules.
const (
	protoTCP   = 6
	protoMPTCP = 262
)

// objectLabels are labels that a host gives besides its policy. They come before the policy's, the latest first.
type objectLabels struct {
	ports  []portLabel
	nodes  []nodeLabel
	netifs []netifLabel
}

type portLabel struct {
	proto     int
	low, high uint16
	context   string
}

type nodeLabel struct {
	prefix  netip.Prefix
	context string
}

type netifLabel struct{ name, context, message string }

// check tells if the policy accepts all labels.
func (l *objectLabels) check(p *Policy) error {
	var contexts []string
	for _, x := range l.ports {
		contexts = append(contexts, x.context)
	}
	for _, x := range l.nodes {
		contexts = append(contexts, x.context)
	}
	for _, x := range l.netifs {
		contexts = append(contexts, x.context, x.message)
	}
	for _, c := range contexts {
		if _, err := p.ParseContext(c); err != nil {
			return err
		}
	}
	return nil
}

// objectSIDs are the SIDs of the policy's own labels, by their places in the policy; 0 until first used.
type objectSIDs struct{ ports, nodes, netifs, messages []SID }

func newObjectSIDs(p *Policy) objectSIDs {
	return objectSIDs{
		make([]SID, len(p.db.Ports)), make([]SID, len(p.db.Nodes)),
		make([]SID, len(p.db.Netifs)), make([]SID, len(p.db.Netifs)),
	}
}

// objectSID gives the SID of the i-th of a kind of labels, whose context is c.
func (s *Server) objectSID(sids []SID, i int, c *Context) SID {
	if sids[i] == SIDNull {
		sids[i] = s.enter(c)
	}
	return sids[i]
}

// LabelPorts labels the ports low to high, in host byte order, of an IP protocol, before the policy's rules.
func (s *Server) LabelPorts(proto int, low, high uint16, context string) error {
	if low > high {
		return fmt.Errorf("the ports %d to %d are no range", low, high)
	}
	if _, err := s.ContextToSID(context); err != nil {
		return err
	}
	s.labels.ports = append([]portLabel{{proto, low, high, context}}, s.labels.ports...)
	return nil
}

// LabelNode labels addresses, before the policy's rules.
func (s *Server) LabelNode(prefix netip.Prefix, context string) error {
	if !prefix.IsValid() {
		return fmt.Errorf("the address prefix is not valid")
	}
	if _, err := s.ContextToSID(context); err != nil {
		return err
	}
	s.labels.nodes = append([]nodeLabel{{prefix, context}}, s.labels.nodes...)
	return nil
}

// LabelNetif labels an interface, and the packets that arrive there unlabelled, before the policy's rules.
func (s *Server) LabelNetif(name, context, message string) error {
	for _, c := range []string{context, message} {
		if _, err := s.ContextToSID(c); err != nil {
			return err
		}
	}
	s.labels.netifs = append([]netifLabel{{name, context, message}}, s.labels.netifs...)
	return nil
}

// sidOf gives the SID of a context that was checked when it was entered.
func (s *Server) sidOf(context string) SID {
	sid, err := s.ContextToSID(context)
	if err != nil {
		return InitialUnlabeled
	}
	return sid
}

// PortSID gives the SID of a port in host byte order: that of the first rule which fits, else InitialPort. An MPTCP
// port is labelled as a TCP one.
func (s *Server) PortSID(proto int, port uint16) SID {
	if proto == protoMPTCP {
		proto = protoTCP
	}
	for _, l := range s.labels.ports {
		if l.proto == proto && l.low <= port && port <= l.high {
			return s.sidOf(l.context)
		}
	}
	for i := range s.policy.db.Ports {
		l := &s.policy.db.Ports[i]
		if l.Low <= port && port <= l.High && l.Protocol == uint32(proto) {
			return s.objectSID(s.objects.ports, i, &l.Context)
		}
	}
	return InitialPort
}

// NodeSID gives the SID of an address: that of the first rule of its family which fits, else InitialNode. An IPv4
// address in IPv6 form is looked up as the IPv6 address it is, as the kernel does for AF_INET6 sockets.
func (s *Server) NodeSID(addr netip.Addr) SID {
	addr = addr.WithZone("")
	for _, l := range s.labels.nodes {
		if l.prefix.Contains(addr) {
			return s.sidOf(l.context)
		}
	}
	var buf [16]byte
	raw := buf[:0]
	switch {
	case addr.Is4():
		b := addr.As4()
		raw = append(raw, b[:]...)
	case addr.Is6():
		b := addr.As16()
		raw = append(raw, b[:]...)
	}
	for i := range s.policy.db.Nodes {
		l := &s.policy.db.Nodes[i]
		if len(l.Addr) == len(raw) && masked(raw, l.Mask, l.Addr) {
			return s.objectSID(s.objects.nodes, i, &l.Context)
		}
	}
	return InitialNode
}

func masked(addr, mask, want []byte) bool {
	for i := range addr {
		if addr[i]&mask[i] != want[i] {
			return false
		}
	}
	return true
}

// NetifSID gives the SIDs of an interface and of the unlabelled packets that arrive there: those of the first rule
// with its name, else InitialNetif and InitialNetmsg.
func (s *Server) NetifSID(name string) (netif, message SID) {
	for _, l := range s.labels.netifs {
		if l.name == name {
			return s.sidOf(l.context), s.sidOf(l.message)
		}
	}
	wildcard := s.policy.Has(CapabilityNetifWildcard)
	for i := range s.policy.db.Netifs {
		l := &s.policy.db.Netifs[i]
		if l.Name == name || wildcard && matchWildcard(l.Name, name) {
			return s.objectSID(s.objects.netifs, i, &l.Context), s.objectSID(s.objects.messages, i, &l.Message)
		}
	}
	return InitialNetif, InitialNetmsg
}

// matchWildcard tells if name is like pattern, in which * stands for any text and ? for one byte (match_wildcard in
// the kernel).
func matchWildcard(pattern, name string) bool {
	star, back := -1, 0 // where the last * was, and what of the name it may stand for less of
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			back++
			p, n = star+1, back
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
