// SPDX-License-Identifier: Apache-2.0

package conformance

import "testing"

// A value that is set and read back is written as it was.
func TestOption_encodeDecode(t *testing.T) {
	for _, tt := range [][2]string{
		{"SO_REUSEADDR", "1"},
		{"TCP_SYNCNT", "6"},
		{"SO_SNDTIMEO", "1.5s"},
		{"SO_RCVTIMEO", "300ms"},
		{"SO_LINGER", "off"},
		{"SO_LINGER", "2s"},
		{"SO_BINDTODEVICE", `"a0"`},
		{"IP_LOCAL_PORT_RANGE", "41000-41010"},
		{"SO_SNDBUF", "-1"},
	} {
		o, ok := findOption(tt[0])
		if !ok {
			t.Fatalf("no option %s", tt[0])
		}
		b, err := o.encode(tt[1])
		if err != nil || o.Decode(b) != tt[1] {
			t.Errorf("%s %s became %s, %v", tt[0], tt[1], o.Decode(b), err)
		}
	}
}

func TestOption_refuses(t *testing.T) {
	for _, tt := range [][2]string{
		{"SO_REUSEADDR", "yes"},
		{"SO_SNDTIMEO", "1"},
		{"SO_LINGER", "on"},
		{"SO_BINDTODEVICE", "a0"},
		{"IP_LOCAL_PORT_RANGE", "41000"},
		{"TCP_MD5SIG", "host"},
	} {
		o, _ := findOption(tt[0])
		if _, err := o.encode(tt[1]); err == nil {
			t.Errorf("%s takes %q", tt[0], tt[1])
		}
	}
}
