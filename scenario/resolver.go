// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"syscall"

	"github.com/miekg/dns"

	"dialtone"
)

// Nameservers returns the addresses of the name servers that resolvConf, the content of an /etc/resolv.conf, names. If it
// names none that can be read, they are those of the machine itself, as resolv.conf(5) has it. Link-local addresses are
// left out: they mean something on the real machine's interface alone.
func Nameservers(resolvConf io.Reader) []netip.Addr {
	var all []netip.Addr
	if config, err := dns.ClientConfigFromReader(resolvConf); err == nil {
		for _, text := range config.Servers {
			if a, err := netip.ParseAddr(text); err == nil && !a.IsLinkLocalUnicast() {
				all = append(all, a.Unmap())
			}
		}
	}
	if len(all) == 0 {
		all = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return all
}

// AnswerNames has the network's names answered to those who ask the name servers at the given addresses from h, over UDP
// and TCP, whether the network has these addresses or not: one that it doesn't have becomes another address of h's
// loopback.
func (r *Running) AnswerNames(h *dialtone.Host, nameservers []netip.Addr) error {
	for _, a := range nameservers {
		if a.IsUnspecified() { // connecting to it leads to the loopback (ip(7), INADDR_ANY)
			a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		at := r.hostOf(a)
		switch {
		case a.IsLoopback():
			at = h
		case at == nil:
			at = h
			h.Stack().Interfaces()[0].AddAddress(netip.PrefixFrom(a, a.BitLen()))
		}
		begin := both(at, netip.AddrPortFrom(a, serviceDNS.usualPort()).String(), r.zone.answerTCP, r.zone.answerUDP)
		err := r.provide(at, func(to *servers) error {
			err := begin(to)
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil // the file has a name server there
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hostOf returns the host that has the address a, nil if there is none.
func (r *Running) hostOf(a netip.Addr) *dialtone.Host {
	for _, h := range r.Network.Hosts() {
		if slices.Contains(h.Addresses(), a) {
			return h
		}
	}
	return nil
}
