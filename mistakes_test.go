// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"dialtone"
	"dialtone/errno"
	"dialtone/link"
	"dialtone/personality"
)

// TestMistakes: what is wrong is said where it is done, with what was expected, and nothing has changed then.
func TestMistakes(t *testing.T) {
	n := dialtone.NewNetwork()
	h := n.Host("a.test")
	prefix := netip.MustParsePrefix("192.0.2.1/24")
	for _, c := range []struct {
		what string
		do   func() error
		want string
	}{
		{"NewHost: no name", newHost(n, ""), "a host needs a name"},
		{"NewHost: again", newHost(n, "A.test."), "there is a host A.test. already"},
		{"NewHost: an address", newHost(n, "10.0.0.1"), "10.0.0.1 is an address, expected a host's name: Attach gives a host its addresses"},
		{"NewHost: a port", newHost(n, "b.test:80"), `"b.test:80" is no host's name: it is dialed as name:port, expected one without : / [ ] @ and spaces`},
		{"NewHost: a network of no one's", newHost(&dialtone.Network{}, "b.test"), "this network was not made by NewNetwork"},
		{"NewHost: no personality", func() error {
			_, err := n.NewHost("b.test", nil)
			return err
		}, "host b.test: no personality, expected one such as personality.Linux"},
		{"Attach: no link", attach(h, "eth1", nil, prefix), `host a.test: interface "eth1", link <nil>: an interface needs both`},
		{"Attach: no name", attach(h, "", link.NewCable(0), prefix), `host a.test: interface "", link `},
		{"Attach: a name again", attach(h, "eth0", link.NewCable(0), prefix), "host a.test: inet: there is an interface eth0 already"},
		{
			"Attach: IPv6's length", attach(h, "eth1", link.NewCable(0), netip.PrefixFrom(prefix.Addr(), 64)),
			"host a.test: interface eth1: 192.0.2.1 is no address with a prefix length that it can have",
		},
		{"Fault: no errno", fault(n, dialtone.Fault{To: "a.test"}), "a fault needs an errno"},
		{"Fault: To a port", fault(n, dialtone.Fault{To: "a.test:80", Errno: errno.EPERM}), `the To of a fault, "a.test:80": lookup a.test:80: no such host`},
		{"Fault: From nobody", fault(n, dialtone.Fault{From: "c.test", Errno: errno.EPERM}), "the From of a fault: there is no host c.test"},
		{"Fault: Nth", fault(n, dialtone.Fault{Nth: -1, Errno: errno.EPERM}), "a fault counts from 1, for a number of times: Nth is -1, Times 0"},
		{
			"Impair: IPv6's length", func() error {
				return n.Impair(link.Rule{}, link.Rule{To: netip.PrefixFrom(h.Addresses()[0], 128), Action: link.Drop})
			},
			"link: rule 2: to 10.0.0.1 with a length that such an address can't have, want a valid prefix or the zero Prefix, which is any",
		},
		{"SetSysctl: a name", func() error { return h.SetSysctl("net.core.somaxcon", "1") }, `unknown sysctl "net.core.somaxcon", expected one of net.core.somaxconn net.ipv4.`},
		{"Dialer: no host", func() error {
			_, err := (&dialtone.Dialer{}).Dial("tcp", "a.test:80")
			return isOpError(err)
		}, "dial tcp: Dialer.Host is not set: nobody dials"},
		{"ListenConfig: no host", func() error {
			_, err := (&dialtone.ListenConfig{}).Listen(t.Context(), "tcp", ":80")
			return isOpError(err)
		}, "listen tcp: ListenConfig.Host is not set: nobody listens"},
		{"ListenConfig: no host for packets", func() error {
			_, err := (&dialtone.ListenConfig{}).ListenPacket(t.Context(), "udp", ":80")
			return isOpError(err)
		}, "listen udp: ListenConfig.Host is not set: nobody listens"},
		{"Host: an address", panicOf(func() { n.Host("fd00::1") }), "dialtone: fd00::1 is an address, "},
		{"AddName: no address", panicOf(func() { n.AddName("b.test", netip.Addr{}) }), `dialtone: the zero netip.Addr is no address for "b.test"`},
	} {
		err := c.do()
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.what, err, c.want)
		}
	}
	if all := n.Hosts(); len(all) != 1 || len(h.Addresses()) != 2 || len(n.Addresses("b.test")) != 0 {
		t.Errorf("a mistake has changed something: hosts %v, addresses %v", all, h.Addresses())
	}
}

func newHost(n *dialtone.Network, name string) func() error {
	return func() error {
		_, err := n.NewHost(name, personality.Linux)
		return err
	}
}

func attach(h *dialtone.Host, name string, l link.Link, p netip.Prefix) func() error {
	return func() error {
		_, err := h.Attach(name, l, p)
		return err
	}
}

func fault(n *dialtone.Network, f dialtone.Fault) func() error {
	return func() error {
		_, err := n.Fault(f)
		return err
	}
}

// isOpError returns err if it is what package net's users look for, and something else if it is not.
func isOpError(err error) error {
	if op := (*net.OpError)(nil); err != nil && !errors.As(err, &op) {
		return fmt.Errorf("no *net.OpError: %w", err)
	}
	return err
}

// panicOf returns what f panics with.
func panicOf(f func()) func() error {
	return func() (err error) {
		defer func() { err = fmt.Errorf("%v", recover()) }()
		f()
		return errors.New("no panic")
	}
}
