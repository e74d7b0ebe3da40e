// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// AuditData says on whose behalf a decision was asked for and what it was about. What is zero is left out of the
// record, as the kernel does. Ports are in host byte order.
type AuditData struct {
	PID     int
	Command string // the process's name, at most 15 bytes in the kernel

	Local, Peer netip.AddrPort // of the socket: laddr, lport, faddr, fport
	Path        string         // of an AF_UNIX socket; an abstract name begins with a NUL byte

	Source, Destination netip.AddrPort // of what is asked for: saddr, src, daddr, dest
	Netif               string
}

// Record is an audited decision.
type Record struct {
	Denied         bool     // else granted, and audited because of an auditallow rule
	Permissions    []string // those that are audited
	Data           AuditData
	Source, Target string // contexts
	Class          string
	Permissive     bool // denied by the policy, but granted

	// The contexts that the SIDs stood for under an earlier policy, if this one does not accept them.
	RawSource, RawTarget string
}

func (s *Server) record(d *decision, perms Perm, denied, granted bool, data *AuditData) Record {
	names := d.class.PermissionNames(perms)
	if nameless := perms &^ d.class.permissions(); nameless != 0 {
		names = append(names, fmt.Sprintf("0x%x", uint32(nameless)))
	}
	r := Record{
		Denied: denied, Permissions: names, Class: d.class.String(), Permissive: denied && granted,
		Source: s.sids.lookup(d.source).text, Target: s.sids.lookup(d.target).text,
		RawSource: s.sids.raw(d.source), RawTarget: s.sids.raw(d.target),
	}
	if data != nil {
		r.Data = *data
	}
	return r
}

// Line gives the record as the kernel's audit system writes it: with the time in milliseconds and the serial number
// that the audit log gives to the event.
func (r *Record) Line(at time.Time, serial uint64) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("type=AVC msg=audit(%d.%03d:%d): %s", ms/1000, ms%1000, serial, r)
}

// String gives the record as the kernel's log does: avc:  denied  { … } for …
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString("avc:  ")
	b.WriteString(r.verdict())
	b.WriteString("  {")
	for _, p := range r.Permissions {
		b.WriteByte(' ')
		b.WriteString(p)
	}
	b.WriteString(" } for ")
	for _, f := range r.fields() {
		text, chosen := f.value.(programText)
		if chosen {
			fmt.Fprintf(&b, " %s=%s", f.key, text.audited())
		} else {
			fmt.Fprintf(&b, " %s=%v", f.key, f.value)
		}
	}
	return b.String()
}

// MarshalJSON gives an object with the keys of the kernel's line, and verdict and perms before them. Numbers are
// numbers, and texts are as they are.
func (r Record) MarshalJSON() ([]byte, error) {
	perms, err := json.Marshal(r.Permissions)
	if err != nil {
		return nil, err
	}
	b := fmt.Appendf(nil, `{"verdict":%q,"perms":%s`, r.verdict(), perms)
	for _, f := range r.fields() {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, `,%q:%s`, f.key, value)
	}
	return append(b, '}'), nil
}

func (r *Record) verdict() string {
	if r.Denied {
		return "denied"
	}
	return "granted"
}

type auditField struct {
	key   string
	value any // an int, a string, or a programText
}

// programText is a text that a program chose.
type programText string

// fields gives the keys after "for", in the kernel's order (lsm_audit.c dump_common_audit_data, avc.c).
func (r *Record) fields() []auditField {
	var fs []auditField
	add := func(key string, value any) { fs = append(fs, auditField{key, value}) }
	address := func(ap netip.AddrPort, addrKey, portKey string) {
		if ap.Addr().IsValid() && !ap.Addr().IsUnspecified() {
			add(addrKey, ap.Addr().WithZone("").String())
		}
		if ap.Port() != 0 {
			add(portKey, int(ap.Port()))
		}
	}
	d := &r.Data
	if d.PID != 0 {
		add("pid", d.PID)
	}
	if d.Command != "" {
		add("comm", programText(d.Command))
	}
	address(d.Local, "laddr", "lport")
	address(d.Peer, "faddr", "fport")
	if d.Path != "" {
		add("path", programText(d.Path))
	}
	address(d.Source, "saddr", "src")
	address(d.Destination, "daddr", "dest")
	if d.Netif != "" {
		add("netif", d.Netif)
	}
	add("scontext", r.Source)
	add("tcontext", r.Target)
	add("tclass", r.Class)
	if r.Denied {
		permissive := 0
		if r.Permissive {
			permissive = 1
		}
		add("permissive", permissive)
	}
	if r.RawSource != "" {
		add("srawcon", programText(r.RawSource))
	}
	if r.RawTarget != "" {
		add("trawcon", programText(r.RawTarget))
	}
	return fs
}

// audited quotes the text, or writes it in hex if it has quotes, spaces or bytes that do not print
// (audit_log_untrustedstring in the kernel).
func (t programText) audited() string {
	for i := range len(t) {
		if c := t[i]; c == '"' || c < 0x21 || c > 0x7e {
			return fmt.Sprintf("%X", string(t))
		}
	}
	return `"` + string(t) + `"`
}
