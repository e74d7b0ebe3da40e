// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dialtone/selinux"
)

// Records are written in order, the file grows, and who is too slow loses some, which is told.
func TestAuditor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	for range 2 {
		a, err := openAuditor(path, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			a.add("web.test", &selinux.Record{Denied: true, Permissions: []string{fmt.Sprint("p", i)}, Class: "tcp_socket"})
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) != 200 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "node=web.test type=AVC msg=audit(") ||
			!strings.Contains(line, fmt.Sprintf(":%d): avc:  denied  { p%d } for  ", i%100+1, i%100)) {
			t.Errorf("line %d: %s", i, line)
		}
	}
}

// blocked is a writer that waits.
type blocked struct{ until chan struct{} }

func (b blocked) Write(p []byte) (int, error) { <-b.until; return len(p), nil }

func TestAuditorTooSlow(t *testing.T) {
	slow := blocked{make(chan struct{})}
	a, err := openAuditor("-", slow)
	if err != nil {
		t.Fatal(err)
	}
	// Some are in the writer's hands.
	for range 3 * maxAudited {
		a.add("a", &selinux.Record{})
	}
	close(slow.until)
	if err := a.Close(); err == nil || !strings.Contains(err.Error(), "audit records were lost") {
		t.Errorf("%v", err)
	}
}

func TestAuditorFails(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	a, err := openAuditor("/dev/full", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a.add("a", &selinux.Record{})
	if err := a.Close(); err == nil {
		t.Error("a full device took it")
	}
	var none *auditor
	none.listen(nil)
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}
