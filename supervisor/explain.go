// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// explaining is a connect that somebody wants explained; nil: nobody does.
type explaining struct {
	sup   *Supervisor
	core  *socket.Core
	text  string // the call, without its result
	pid   int
	name  string
	began time.Duration
	t     trail.Trail
	told  bool
}

// explains begins an explanation, if anybody wants one.
func (s *Supervisor) explains(c *call, h *hosted, raw sockaddr.Raw) *explaining {
	if s.opts.Explain == nil {
		return nil
	}
	pid, err := threadGroup(c.tid)
	if err != nil {
		pid = c.tid
	}
	return &explaining{
		sup: s, core: h.sock.Core, pid: pid, name: programName(c.tid), began: h.sock.Core.Now(),
		text: fmt.Sprintf("connect(%d, %s, %d)", int32(c.args[0]), straceAddress(raw, c.args[1]), raw.Len),
	}
}

// trail returns where the layer writes; nil for a nil explaining.
func (x *explaining) trail() *trail.Trail {
	if x == nil {
		return nil
	}
	return &x.t
}

// forgetTrail begins anew, for a second attempt after one that had no effect.
func (x *explaining) forgetTrail() {
	if x == nil {
		return
	}
	x.core.Lock()
	x.t = trail.Trail{}
	x.core.Unlock()
}

// path notes how the bytes of an established connection travel.
func (x *explaining) path(h *hosted) {
	if x == nil || x.told {
		return
	}
	text := "the bytes travel over the virtual network"
	if h.phase == direct {
		text = "both ends are hosted here, and nothing acts on the bytes between them: they take a kernel socket"
	}
	x.note("%s", text)
}

// note adds to the trail what becomes of the bytes.
func (x *explaining) note(format string, args ...any) {
	if x == nil || x.told {
		return
	}
	x.core.Lock()
	x.t.Add(x.core.Now(), trail.Path, format, args...)
	x.core.Unlock()
}

// tell hands the explanation over: what the call returned and what became of
// the attempt. Only the first outcome counts. then, which may be nil, runs when
// the explanation has been told: at once if nobody wants one. The supervisor is
// locked, and is while then runs.
func (x *explaining) tell(returned, outcome errno.Errno, then func()) {
	switch {
	case x == nil && then == nil:
	case x == nil:
		then()
	case !x.told:
		x.told = true
		x.sup.teller.add(telling{explanation: x.explanation(returned, outcome), then: then})
	case then != nil:
		x.sup.teller.add(telling{then: then}) // it may still be waiting to be told
	}
}

// ended tells of an attempt that the call did not wait for.
func (x *explaining) ended(h *hosted, e errno.Errno, then func()) {
	if e == errno.OK {
		x.path(h)
	}
	x.tell(errno.EINPROGRESS, e, then)
}

func (x *explaining) explanation(returned, outcome errno.Errno) *Explanation {
	// The layer may still add lines: they are copied under its lock.
	x.core.Lock()
	t := x.t
	t.Lines = slices.Clone(x.t.Lines)
	took := x.core.Now() - x.began
	x.core.Unlock()
	e := &Explanation{Program: x.name, PID: x.pid, Call: x.text + " = " + straceResult(returned), Took: took, Trail: &t}
	if outcome != errno.OK {
		e.Errno = outcome.Name()
	}
	return e
}

// straceResult prints a result as strace(1) does.
func straceResult(e errno.Errno) string {
	if e == errno.OK {
		return "0"
	}
	text := e.Error()
	return fmt.Sprintf("-1 %s (%s)", e.Name(), strings.ToUpper(text[:1])+text[1:])
}

// straceAddress prints a sockaddr argument as strace(1) does.
func straceAddress(raw sockaddr.Raw, ptr uint64) string {
	b := raw.Mem
	switch {
	case raw.Null():
		return "NULL"
	case len(b) < sockaddr.LenFamily:
		return "0x" + strconv.FormatUint(ptr, 16)
	case sockaddr.FamilyOf(b) == sockaddr.Inet && len(b) >= sockaddr.LenInet:
		a := sockaddr.ParseInet(b)
		return fmt.Sprintf("{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(%q)}", a.Port, a.IP)
	case sockaddr.FamilyOf(b) == sockaddr.Inet6 && len(b) >= sockaddr.LenInet6:
		a := sockaddr.ParseInet6(b)
		return fmt.Sprintf("{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(%d), inet_pton(AF_INET6, %q, &sin6_addr), sin6_scope_id=%d}",
			a.Port, binary.BigEndian.Uint32(b[4:]), a.IP, a.Scope)
	}
	return fmt.Sprintf("{sa_family=%v, sa_data=%q}", sockaddr.FamilyOf(b), b[sockaddr.LenFamily:])
}

// programName is the name that ps(1) shows for a thread.
func programName(tid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", tid))
	if err != nil {
		return "?"
	}
	return string(bytes.TrimSpace(b))
}
