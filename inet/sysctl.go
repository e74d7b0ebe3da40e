// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"
	"time"

	"dialtone/personality"
	"dialtone/tcp"
	"dialtone/wire"
)

// Sysctl are a host's settings. Each bears the name it has on Linux below net.ipv4 (they hold for IPv6 as well).
type Sysctl struct {
	TCPSynRetries        int
	TCPSynLinearTimeouts int
	TCPSynAckRetries     int
	TCPRetries2          int
	TCPTimestamps        bool
	TCPWindowScaling     bool
	TCPSack              bool
	TCPAbortOnOverflow   bool
	TCPRmem, TCPWmem     Memory
	TCPFastOpen          int    // bits: 1 client, 2 server, 4 client without cookie, 0x200 server without cookie
	TCPNotSentLowat      uint32 // bytes
	TCPSynCookies        int    // 0 never, 1 when there are more handshakes than the backlog, 2 always
	IPv6Disabled         bool   // net.ipv6.conf.all.disable_ipv6: interfaces have no IPv6 address
	TCPFinTimeout        time.Duration
	TCPKeepAliveTime     time.Duration
	TCPKeepAliveIntvl    time.Duration
	TCPKeepAliveProbes   int
	TCPTwReuse           int // 0 never, 1 always, 2 loopback only
	IPLocalPortFirst     uint16
	IPLocalPortLast      uint16
	IPReservedPorts      []PortRange // implicit ports are none of them
	IPForward            bool        // the host is a router of IPv4
	IPv6Forwarding       bool        // net.ipv6.conf.all.forwarding: and of IPv6
	IPUnprivilegedPort   uint16      // ports below it need CAP_NET_BIND_SERVICE
	IPDefaultTTL         uint8
	RouteMTUExpires      time.Duration // how long is believed what ICMP has told of a way's MTU
	PingGroupFirst       uint32        // net.ipv4.ping_group_range: the groups that may have ping sockets
	PingGroupLast        uint32
	IPv6BindV6Only       bool
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

// Memory are the sizes that a TCP socket's buffer has unless the socket sets it, and has at most, in bytes.
type Memory struct{ Default, Most int }

// reserves reports whether a port is never taken as an implicit one.
func (y *Sysctl) reserves(port uint16) bool {
	for _, r := range y.IPReservedPorts {
		if r.First <= port && port <= r.Last {
			return true
		}
	}
	return false
}

func defaultSysctl(p *personality.Personality) Sysctl {
	return Sysctl{
		TCPSynRetries:        p.TCP.SynRetries,
		TCPSynLinearTimeouts: p.TCP.SynLinearTimeouts,
		TCPSynAckRetries:     p.TCP.SynAckRetries,
		TCPRetries2:          p.TCP.Retries2,
		TCPTimestamps:        p.TCP.Timestamps,
		TCPWindowScaling:     p.TCP.WindowScaling,
		TCPSack:              p.TCP.SACK,
		TCPFinTimeout:        p.TCP.FinTimeout,
		TCPKeepAliveTime:     p.TCP.KeepIdle,
		TCPKeepAliveIntvl:    p.TCP.KeepInterval,
		TCPKeepAliveProbes:   p.TCP.KeepProbes,
		TCPRmem:              Memory{p.TCPReceiveBuffer, p.TCPReceiveBufferMost},
		TCPWmem:              Memory{p.TCPSendBuffer, p.TCPSendBufferMost},
		TCPTwReuse:           2,
		TCPFastOpen:          1,
		TCPSynCookies:        1,
		TCPNotSentLowat:      math.MaxUint32,
		IPLocalPortFirst:     p.TCP.PortsFirst,
		IPLocalPortLast:      p.TCP.PortsLast,
		IPUnprivilegedPort:   1024,
		IPDefaultTTL:         64,
		RouteMTUExpires:      600 * time.Second,
		PingGroupFirst:       p.IP.PingGroups.First,
		PingGroupLast:        p.IP.PingGroups.Last,
		IPv6BindV6Only:       p.IP.V6Only,
	}
}

// SetSysctl changes the host's settings, for what is opened from now on.
func (s *Stack) SetSysctl(change func(*Sysctl)) {
	s.core.Lock()
	defer s.core.Unlock()
	change(&s.Sysctl)
	s.apply()
}

// apply makes changed settings count.
func (s *Stack) apply() {
	s.tcpConfig = nil
	if s.Sysctl.IPv6Disabled {
		for _, i := range s.interfaces {
			i.loseIPv6()
		}
	}
}

// config returns the facts that TCP connections opened now share.
func (s *Stack) config() *tcp.Config {
	if s.tcpConfig != nil {
		return s.tcpConfig
	}
	p, y := s.core.Personality, &s.Sysctl
	c := tcp.Defaults()
	c.RcvBuf, c.RcvBufMost = uint32(y.TCPRmem.Default), uint32(y.TCPRmem.Most)
	c.SndBuf, c.SndBufMost = uint32(y.TCPWmem.Default), uint32(y.TCPWmem.Most)
	c.MaxSegment = maxSegment
	c.WindowScale, c.Timestamps, c.SACK = y.TCPWindowScaling, y.TCPTimestamps, y.TCPSack
	c.InitialRTO, c.MinRTO, c.MaxRTO = p.TCP.InitialRTO, p.TCP.MinRTO, p.TCP.MaxRTO
	c.MinVariance = p.TCP.MinVariance
	c.SynRetries, c.SynLinearTimeouts = uint8(y.TCPSynRetries), uint8(y.TCPSynLinearTimeouts)
	c.SynAckRetries, c.Retries2 = uint8(y.TCPSynAckRetries), uint8(y.TCPRetries2)
	c.ResetOnUnread = p.TCP.ResetOnUnread
	c.SynBackoff, c.KeepInit = p.TCP.SynBackoff, p.TCP.KeepInit
	c.QuickAcks = p.TCP.QuickACKs
	c.DelayedAck, c.TimeWait, c.FinWait2 = p.TCP.DelayedACK, p.TCP.TimeWait, y.TCPFinTimeout
	s.tcpConfig = &c
	return s.tcpConfig
}

// maxSegment is the largest payload of one segment on a link in memory, in bytes: like a network card that segments
// itself, such a link takes a packet of up to 64 KiB whatever its MTU.
const maxSegment = wire.MaxText
