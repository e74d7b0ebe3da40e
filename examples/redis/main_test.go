// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	const want = "hello, after 1 dials\nhello, after 1 dials\n" +
		"dial 2: dial tcp4 10.0.0.1:6379: connect: connection refused\n" +
		"after a crash: forgotten true, after 3 dials\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", &out, want)
	}
}
