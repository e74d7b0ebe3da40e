// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"dialtone/personality"
)

// Every name changes something, takes the ends of its range, and refuses what lies beyond and what is no number.
func TestSysctlNames(t *testing.T) {
	for _, name := range SysctlNames() {
		s := settings[name]
		changed := false
		for _, value := range []int{s.least, s.most} {
			y := defaultSysctl(personality.Linux)
			before := y
			text := strconv.Itoa(value)
			if s.setRange != nil {
				text += " " + text
			}
			if s.memory != nil {
				text += " " + text + " " + text
			}
			if s.setList != nil {
				text += "-" + text + ",7000"
			}
			if err := y.Set(name, text); err != nil {
				t.Errorf("%s = %s: %v", name, text, err)
			}
			changed = changed || !reflect.DeepEqual(y, before)
		}
		if !changed {
			t.Errorf("%s changes nothing", name)
		}
		y := defaultSysctl(personality.Linux)
		for _, bad := range []string{"x", strconv.Itoa(s.least - 1), strconv.Itoa(s.most + 1), "1 2 3 4"} {
			if err := y.Set(name, bad); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s = %q: %v", name, bad, err)
			}
		}
	}
}

func TestSysctlUnknown(t *testing.T) {
	y := defaultSysctl(personality.Linux)
	err := y.Set("net.ipv4.tcp_syn_retry", "1")
	if err == nil || !strings.Contains(err.Error(), "net.ipv4.tcp_syn_retries") {
		t.Errorf("%v", err)
	}
	if err := y.Set("net.ipv4.ip_local_port_range", "40001 40000"); err == nil {
		t.Error("a range that ends before it begins")
	}
}
