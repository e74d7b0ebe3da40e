// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is a sysctl: the values that the kernel takes (net/ipv4/sysctl_net_ipv4.c), and what they do.
type setting struct {
	least, most int
	empty       bool // of a range: the first number may be the larger one, for a range of none
	set         func(y *Sysctl, v int)
	setRange    func(y *Sysctl, first, last int)  // instead of set: the value is two numbers
	memory      func(y *Sysctl) *Memory           // instead of set: the value is three numbers, the first of which is not used
	setList     func(y *Sysctl, list []PortRange) // instead of set: the value is a list of ports and ranges
}

func number(least, most int, set func(y *Sysctl, v int)) setting {
	return setting{least: least, most: most, set: set}
}

func flag(field func(y *Sysctl) *bool) setting {
	return number(0, 1, func(y *Sysctl, v int) { *field(y) = v == 1 })
}

// settings are the sysctls by their names in Linux.
var settings = map[string]setting{
	"net.ipv4.ip_default_ttl": number(1, 255, func(y *Sysctl, v int) { y.IPDefaultTTL = uint8(v) }),
	"net.ipv4.ip_forward":     flag(func(y *Sysctl) *bool { return &y.IPForward }),
	"net.ipv4.ip_local_port_range": {least: 1, most: 65535, setRange: func(y *Sysctl, first, last int) {
		y.IPLocalPortFirst, y.IPLocalPortLast = uint16(first), uint16(last)
	}},
	"net.ipv4.ip_local_reserved_ports": {least: 0, most: 65535, setList: func(y *Sysctl, list []PortRange) {
		y.IPReservedPorts = list
	}},
	"net.ipv4.ip_unprivileged_port_start": number(0, 65535, func(y *Sysctl, v int) { y.IPUnprivilegedPort = uint16(v) }),
	"net.ipv4.ping_group_range": {least: 0, most: math.MaxInt32, empty: true, setRange: func(y *Sysctl, first, last int) {
		y.PingGroupFirst, y.PingGroupLast = uint32(first), uint32(last)
	}},
	"net.ipv4.route.mtu_expires": number(0, 1<<31/1000-1, func(y *Sysctl, v int) {
		y.RouteMTUExpires = time.Duration(v) * time.Second
	}),
	"net.ipv4.tcp_abort_on_overflow": flag(func(y *Sysctl) *bool { return &y.TCPAbortOnOverflow }),
	"net.ipv4.tcp_fastopen":          number(0, 1<<16-1, func(y *Sysctl, v int) { y.TCPFastOpen = v }),
	"net.ipv4.tcp_fin_timeout": number(0, 1<<31/1000-1, func(y *Sysctl, v int) {
		y.TCPFinTimeout = time.Duration(v) * time.Second
	}),
	"net.ipv4.tcp_keepalive_intvl": number(1, 1<<31/1000-1, func(y *Sysctl, v int) {
		y.TCPKeepAliveIntvl = time.Duration(v) * time.Second
	}),
	"net.ipv4.tcp_keepalive_probes": number(0, 255, func(y *Sysctl, v int) { y.TCPKeepAliveProbes = v }),
	"net.ipv4.tcp_keepalive_time": number(1, 1<<31/1000-1, func(y *Sysctl, v int) {
		y.TCPKeepAliveTime = time.Duration(v) * time.Second
	}),
	"net.ipv4.tcp_notsent_lowat":       number(0, math.MaxUint32, func(y *Sysctl, v int) { y.TCPNotSentLowat = uint32(v) }),
	"net.ipv4.tcp_retries2":            number(0, 255, func(y *Sysctl, v int) { y.TCPRetries2 = v }),
	"net.ipv4.tcp_rmem":                {least: 1, most: math.MaxInt32, memory: func(y *Sysctl) *Memory { return &y.TCPRmem }},
	"net.ipv4.tcp_wmem":                {least: 1, most: math.MaxInt32, memory: func(y *Sysctl) *Memory { return &y.TCPWmem }},
	"net.ipv4.tcp_sack":                flag(func(y *Sysctl) *bool { return &y.TCPSack }),
	"net.ipv4.tcp_syn_linear_timeouts": number(0, 127, func(y *Sysctl, v int) { y.TCPSynLinearTimeouts = v }),
	"net.ipv4.tcp_syn_retries":         number(1, 127, func(y *Sysctl, v int) { y.TCPSynRetries = v }),
	"net.ipv4.tcp_synack_retries":      number(0, 255, func(y *Sysctl, v int) { y.TCPSynAckRetries = v }),
	"net.ipv4.tcp_syncookies":          number(0, 2, func(y *Sysctl, v int) { y.TCPSynCookies = v }),
	"net.ipv4.tcp_timestamps":          flag(func(y *Sysctl) *bool { return &y.TCPTimestamps }),
	"net.ipv4.tcp_tw_reuse":            number(0, 2, func(y *Sysctl, v int) { y.TCPTwReuse = v }),
	"net.ipv4.tcp_window_scaling":      flag(func(y *Sysctl) *bool { return &y.TCPWindowScaling }),
	"net.ipv6.bindv6only":              flag(func(y *Sysctl) *bool { return &y.IPv6BindV6Only }),
	"net.ipv6.conf.all.forwarding":     flag(func(y *Sysctl) *bool { return &y.IPv6Forwarding }),
	"net.ipv6.conf.all.disable_ipv6":   flag(func(y *Sysctl) *bool { return &y.IPv6Disabled }),
}

// SysctlNames returns the names that [Sysctl.Set] knows, sorted.
func SysctlNames() []string { return slices.Sorted(maps.Keys(settings)) }

// Set changes the setting of the given Linux name (net.ipv4.tcp_syn_retries) to a value as sysctl(8) takes it. The error
// says which values there are.
func (y *Sysctl) Set(name, value string) error {
	s, ok := settings[name]
	if !ok {
		return fmt.Errorf("unknown sysctl %q, expected one of %s", name, strings.Join(SysctlNames(), " "))
	}
	if s.setList != nil {
		list, ok := portList(value)
		if !ok {
			return fmt.Errorf("sysctl %s: %q, expected ports as in 8080,40000-40010", name, value)
		}
		s.setList(y, list)
		return nil
	}
	var numbers []int
	for field := range strings.FieldsSeq(value) {
		v, err := strconv.Atoi(field)
		if err != nil || v < s.least || v > s.most {
			return s.unfit(name, value)
		}
		numbers = append(numbers, v)
	}
	switch {
	case s.set != nil && len(numbers) == 1:
		s.set(y, numbers[0])
	case s.setRange != nil && len(numbers) == 2 && (numbers[0] <= numbers[1] || s.empty):
		s.setRange(y, numbers[0], numbers[1])
	case s.memory != nil && len(numbers) == 3:
		*s.memory(y) = Memory{numbers[1], numbers[2]}
	default:
		return s.unfit(name, value)
	}
	return nil
}

// portList reads ports and ranges of them, separated by commas; nothing at all is an empty list.
func portList(text string) (list []PortRange, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	for item := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(item), "-")
		if !isRange {
			last = first
		}
		f, err1 := strconv.ParseUint(first, 10, 16)
		l, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || f > l {
			return nil, false
		}
		list = append(list, PortRange{uint16(f), uint16(l)})
	}
	return list, true
}

func (s *setting) unfit(name, value string) error {
	if s.memory != nil {
		return fmt.Errorf("sysctl %s: %q, expected three sizes in bytes, from %d: least, default, most", name, value, s.least)
	}
	if s.setRange != nil {
		return fmt.Errorf("sysctl %s: %q, expected two numbers from %d to %d, the smaller one first", name, value, s.least, s.most)
	}
	return fmt.Errorf("sysctl %s: %q, expected a whole number from %d to %d", name, value, s.least, s.most)
}

// SetSysctlNamed changes one of the host's settings, by its Linux name.
func (s *Stack) SetSysctlNamed(name, value string) error {
	s.core.Lock()
	defer s.core.Unlock()
	err := s.Sysctl.Set(name, value)
	s.apply()
	return err
}
