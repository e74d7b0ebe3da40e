// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"
	"strconv"

	"dialtone/inet"
)

// unixQueue is the sysctl of AF_UNIX: how many datagrams wait at a receiver.
const unixQueue = "net.unix.max_dgram_qlen"

// SysctlNames returns the names of the settings that [Host.SetSysctl] knows, sorted.
func SysctlNames() []string { return append(inet.SysctlNames(), unixQueue) }

// SetSysctl changes a setting of the host by its Linux name (net.ipv4.tcp_syn_retries), to a value as sysctl(8) takes it,
// for what is opened from now on. The error says which names, or values, there are.
func (h *Host) SetSysctl(name, value string) error {
	if name != unixQueue {
		return h.stack.SetSysctlNamed(name, value)
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("sysctl %s: %q, expected a whole number from 0", name, value)
	}
	h.unix.SetMaxDatagrams(int(n))
	return nil
}
