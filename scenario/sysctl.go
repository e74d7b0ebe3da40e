// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialtone/inet"
)

// sysctl is a setting of a host.
type sysctl struct {
	least, most int
	set         func(s *inet.Sysctl, v int)
	setRange    func(s *inet.Sysctl, first, last int) // instead of set: the value is two numbers
}

// sysctls are the settings by their names in Linux, with the values that the kernel takes (net/ipv4/sysctl_net_ipv4.c).
var sysctls = map[string]sysctl{
	"net.ipv4.ip_default_ttl": {1, 255, func(s *inet.Sysctl, v int) { s.IPDefaultTTL = uint8(v) }, nil},
	"net.ipv4.ip_local_port_range": {1, 65535, nil, func(s *inet.Sysctl, first, last int) {
		s.IPLocalPortFirst, s.IPLocalPortLast = uint16(first), uint16(last)
	}},
	"net.ipv4.ip_unprivileged_port_start": {0, 65535, func(s *inet.Sysctl, v int) { s.IPUnprivilegedPort = uint16(v) }, nil},
	"net.ipv4.tcp_abort_on_overflow":      {0, 1, func(s *inet.Sysctl, v int) { s.TCPAbortOnOverflow = v == 1 }, nil},
	"net.ipv4.tcp_fin_timeout": {0, 1<<31/1000 - 1, func(s *inet.Sysctl, v int) {
		s.TCPFinTimeout = time.Duration(v) * time.Second
	}, nil},
	"net.ipv4.tcp_retries2":            {0, 255, func(s *inet.Sysctl, v int) { s.TCPRetries2 = v }, nil},
	"net.ipv4.tcp_sack":                {0, 1, func(s *inet.Sysctl, v int) { s.TCPSack = v == 1 }, nil},
	"net.ipv4.tcp_syn_linear_timeouts": {0, 127, func(s *inet.Sysctl, v int) { s.TCPSynLinearTimeouts = v }, nil},
	"net.ipv4.tcp_syn_retries":         {1, 127, func(s *inet.Sysctl, v int) { s.TCPSynRetries = v }, nil},
	"net.ipv4.tcp_synack_retries":      {0, 255, func(s *inet.Sysctl, v int) { s.TCPSynAckRetries = v }, nil},
	"net.ipv4.tcp_timestamps":          {0, 1, func(s *inet.Sysctl, v int) { s.TCPTimestamps = v == 1 }, nil},
	"net.ipv4.tcp_tw_reuse":            {0, 2, func(s *inet.Sysctl, v int) { s.TCPTwReuse = v }, nil},
	"net.ipv4.tcp_window_scaling":      {0, 1, func(s *inet.Sysctl, v int) { s.TCPWindowScaling = v == 1 }, nil},
	"net.ipv6.bindv6only":              {0, 1, func(s *inet.Sysctl, v int) { s.IPv6BindV6Only = v == 1 }, nil},
}

// apply sets s as text says; it returns false if text is no value of y.
func (y *sysctl) apply(s *inet.Sysctl, text string) bool {
	var numbers []int
	for field := range strings.FieldsSeq(text) {
		v, err := strconv.Atoi(field)
		if err != nil || v < y.least || v > y.most {
			return false
		}
		numbers = append(numbers, v)
	}
	switch {
	case y.set != nil && len(numbers) == 1:
		y.set(s, numbers[0])
	case y.setRange != nil && len(numbers) == 2 && numbers[0] <= numbers[1]:
		y.setRange(s, numbers[0], numbers[1])
	default:
		return false
	}
	return true
}

// wanted says in words what apply takes.
func (y *sysctl) wanted() string {
	if y.setRange != nil {
		return fmt.Sprintf("two numbers from %d to %d, the smaller one first", y.least, y.most)
	}
	return fmt.Sprintf("a whole number from %d to %d", y.least, y.most)
}

func (c *checker) sysctls(h *hostPart) {
	for i := range h.Sysctls {
		name, text := &h.Sysctls[i].name, &h.Sysctls[i].v
		y, known := sysctls[name.v]
		if !known {
			c.add(name.at, "unknown sysctl %q, %s", name.v, expected(name.v, slices.Sorted(maps.Keys(sysctls))))
			continue
		}
		if !y.apply(new(inet.Sysctl), text.v) {
			c.add(text.at, "%q, expected %s", text.v, y.wanted())
		}
	}
}
