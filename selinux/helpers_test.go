// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newServer(t testing.TB, p *Policy) *Server {
	t.Helper()
	s, err := NewServer(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func loadServer(t testing.TB, data []byte) *Server {
	t.Helper()
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return newServer(t, p)
}

func mustSID(t testing.TB, s *Server, context string) SID {
	t.Helper()
	sid, err := s.ContextToSID(context)
	if err != nil {
		t.Fatal(err)
	}
	return sid
}

type query struct {
	source, target Context
	class          ClassValue
}

// goldenQueries are the random pairs of the golden answers for Debian's policy.
func goldenQueries(t testing.TB, p *Policy) []query {
	t.Helper()
	var qs []query
	for sc := bufio.NewScanner(bytes.NewReader(readShared(t, "av.jsonl"))); sc.Scan(); {
		var g goldenAV
		if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		class, _ := p.Class(g.C)
		qs = append(qs, query{mustContext(t, p, g.S), mustContext(t, p, g.T), class})
	}
	return qs
}
