// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"testing/iotest"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", longestLine)
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"one\n", "a | one\n"},
		{"one\n\ntwo", "a | one\na | \na | two\n"},
		{long + "y\n", "a | " + long + "\na | y\n"},
		{long[1:] + "\n", "a | " + long[1:] + "\n"},
		{"binary \x00\xff\r\n", "a | binary \x00\xff\r\n"},
	} {
		var stdout, stderr strings.Builder
		l := &lines{out: &output{&stdout, &stderr}}
		l.copy(&stdout, "a | ", iotest.OneByteReader(strings.NewReader(test.in)))
		if stdout.String() != test.want {
			t.Errorf("%.20q: %.60q, want %.60q", test.in, stdout.String(), test.want)
		}
	}
}
