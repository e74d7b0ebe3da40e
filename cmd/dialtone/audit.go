// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"dialtone"
	"dialtone/selinux"
)

// auditor writes what policies have audited, as auditd(8) does: a line each, behind the name of its host. Records come with
// the host locked, so they are written by a goroutine of its own. Its methods may be called on nil, which writes nothing.
type auditor struct {
	out  io.Writer
	file *os.File // to be closed; nil: out is stderr

	mu     sync.Mutex
	news   sync.Cond
	lines  []string
	serial uint64
	lost   int // found lines full
	closed bool
	err    error // the first failed write
	done   chan struct{}
}

// maxAudited bounds the lines that wait to be written.
const maxAudited = 1 << 14

// openAuditor returns what appends to the file path, or writes to stderr if that is "-"; nil if it is empty.
func openAuditor(path string, stderr io.Writer) (*auditor, error) {
	a := &auditor{out: stderr, done: make(chan struct{})}
	switch path {
	case "":
		return nil, nil
	case "-":
	default:
		var err error
		if a.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
			return nil, err
		}
		a.out = a.file
	}
	a.news.L = &a.mu
	go a.write()
	return a, nil
}

// listen has a told of what is audited on hosts under a policy.
func (a *auditor) listen(hosts []*dialtone.Host) {
	if a == nil {
		return
	}
	for _, h := range hosts {
		if m := h.Access(); m != nil {
			m.SetAudit(func(r selinux.Record) { a.add(h.Name(), &r) })
		}
	}
}

func (a *auditor) add(host string, r *selinux.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial++ // a gap in the numbers shows what was lost
	if len(a.lines) >= maxAudited {
		a.lost++
		return
	}
	a.lines = append(a.lines, fmt.Sprintf("node=%s %s\n", host, r.Line(time.Now(), a.serial)))
	a.news.Signal()
}

func (a *auditor) write() {
	defer close(a.done)
	for {
		a.mu.Lock()
		for len(a.lines) == 0 && !a.closed {
			a.news.Wait()
		}
		lines := a.lines
		a.lines = nil
		a.mu.Unlock()
		if len(lines) == 0 {
			return
		}
		for _, line := range lines {
			if _, err := io.WriteString(a.out, line); err != nil && a.err == nil {
				a.err = err // read once done is closed
			}
		}
	}
}

// Close writes what is left, and returns what went wrong.
func (a *auditor) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	a.closed = true
	a.news.Signal()
	a.mu.Unlock()
	<-a.done
	err := a.err
	if err == nil && a.lost > 0 {
		err = fmt.Errorf("%d audit records were lost: they were written too slowly", a.lost)
	}
	if a.file != nil {
		if e := a.file.Close(); err == nil {
			err = e
		}
	}
	return err
}
