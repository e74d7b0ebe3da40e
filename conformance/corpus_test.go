// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"strings"
	"testing"
)

func TestCorpus_parses(t *testing.T) {
	cases, err := Corpus()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 400 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if c.Title == "" || len(c.Steps) == 0 {
			t.Errorf("%s:%d: case %s has no title or no steps", c.File, c.Line, c.ID)
		}
	}
}

// Files are for people: none is longer than they like to read.
func TestCorpus_filesAreShort(t *testing.T) {
	cases, err := Corpus()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.File] {
			continue
		}
		seen[c.File] = true
		b, err := corpus.ReadFile(c.File)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > 300 {
			t.Errorf("%s has %d lines", c.File, n)
		}
	}
}

func TestCorpus_holdsEveryKnownID(t *testing.T) {
	cases, err := Corpus()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, c := range cases {
		have[c.ID] = true
	}
	ids, err := KnownIDs()
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 {
		t.Fatal("ids.txt is empty")
	}
	for _, id := range ids {
		if !have[id] {
			t.Errorf("case %s is not in the corpus", id)
		}
	}
}

func TestDifferences_areAboutCases(t *testing.T) {
	cases, err := Corpus()
	if err != nil {
		t.Fatal(err)
	}
	systemsOf := map[string][]string{}
	for _, c := range cases {
		systemsOf[c.ID] = c.Systems
	}
	known, err := Differences()
	if err != nil {
		t.Fatal(err)
	}
	for key := range known {
		if systemsOf[key.ID] == nil {
			t.Errorf("differences.txt: no case %s", key.ID)
		}
	}
}

func TestParseDifferences_wantsAReason(t *testing.T) {
	got, err := parseDifferences("d.txt", "# comment\n\nt4-x kernel linux: because\n")
	if err != nil || got[Key{"t4-x", "kernel", "linux"}] != "because" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, s := range []string{"t4-x kernel linux:", "t4-x kernel: because", "t4-x"} {
		if _, err := parseDifferences("d.txt", s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

// Every errno of the manual pages is the answer of some system to some call of the corpus.
func TestCorpus_answersEveryErrno(t *testing.T) {
	cases, err := Corpus()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		for _, s := range c.Steps {
			for _, w := range s.Want {
				for _, word := range strings.FieldsFunc(w.Text, func(r rune) bool { return !isWord(byte(r)) }) {
					seen[word] = true
				}
			}
		}
	}
	for _, errno := range strings.Fields(`EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF
		ECONNREFUSED ECONNRESET EFAULT EHOSTUNREACH EINPROGRESS EINTR EINVAL EIO EISCONN ELOOP ENAMETOOLONG ENETDOWN
		ENETUNREACH ENOBUFS ENOENT ENOTDIR ENOTSOCK EOPNOTSUPP EPROTOTYPE ETIMEDOUT`) {
		if !seen[errno] {
			t.Errorf("no case answers %s", errno)
		}
	}
}
