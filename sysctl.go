// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dialtone/inet"
)

// The sysctls that are not of the internet families: how many datagrams wait at a receiver of AF_UNIX, and the most that
// listen's backlog counts.
const (
	unixQueue = "net.unix.max_dgram_qlen"
	backlog   = "net.core.somaxconn"
)

// SysctlNames returns the names of the settings that [Host.SetSysctl] knows, sorted.
func SysctlNames() []string {
	return append([]string{backlog}, append(inet.SysctlNames(), unixQueue)...)
}

// SetSysctl changes a setting of the host by its Linux name (net.ipv4.tcp_syn_retries), to a value as sysctl(8) takes it,
// for what is opened from now on. The error says which names, or values, there are.
func (h *Host) SetSysctl(name, value string) error {
	if !slices.Contains(SysctlNames(), name) {
		return fmt.Errorf("unknown sysctl %q, expected one of %s", name, strings.Join(SysctlNames(), " "))
	}
	if name != unixQueue && name != backlog {
		return h.stack.SetSysctlNamed(name, value)
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("sysctl %s: %q, expected a whole number from 0", name, value)
	}
	if name == unixQueue {
		h.unix.SetMaxDatagrams(int(n))
		return nil
	}
	h.core.Lock()
	h.core.Somaxconn = int(n)
	h.core.Unlock()
	return nil
}
