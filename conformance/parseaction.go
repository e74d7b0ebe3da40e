// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wordReader takes the words of an action one by one and remembers the first mistake.
type wordReader struct {
	whole text
	rest  []text
	hosts func(string) bool
	err   error
}

func (r *wordReader) fail(t text, format string, args ...any) {
	if r.err == nil {
		r.err = t.errorf(0, format, args...)
	}
}

// next takes one word; what names it for the author.
func (r *wordReader) next(what string) text {
	if len(r.rest) == 0 {
		if r.err == nil {
			r.err = r.whole.errorf(len(r.whole.s), "expected %s at the end of %q", what, r.whole.s)
		}
		return text{file: r.whole.file, line: r.whole.line, cols: []int{0}}
	}
	w := r.rest[0]
	r.rest = r.rest[1:]
	return w
}

// take removes the next word if it is s.
func (r *wordReader) take(s string) bool {
	if len(r.rest) == 0 || r.rest[0].s != s {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// oneOf takes one of a few words.
func (r *wordReader) oneOf(words ...string) string {
	w := r.next(strings.Join(words, " or "))
	if !slices.Contains(words, w.s) {
		r.fail(w, "expected %s, got %q", strings.Join(words, " or "), w.s)
	}
	return w.s
}

func (r *wordReader) host() string {
	w := r.next("a host")
	if !r.hosts(w.s) {
		r.fail(w, "expected a host, got %q", w.s)
	}
	return w.s
}

func (r *wordReader) number(what string, limit int) int {
	w := r.next(what)
	n, err := strconv.Atoi(w.s)
	if err != nil || n < 0 || n > limit {
		r.fail(w, "expected %s (0 to %d), got %q", what, limit, w.s)
	}
	return n
}

func (r *wordReader) time() time.Duration {
	w := r.next("a time")
	d, err := time.ParseDuration(w.s)
	if err != nil || d < 0 {
		r.fail(w, "expected a time as in 300ms, got %q", w.s)
	}
	return d
}

func (r *wordReader) address() netip.Addr {
	w := r.next("an IP address")
	ip, err := netip.ParseAddr(w.s)
	if err != nil {
		r.fail(w, "expected an IP address, got %q", w.s)
	}
	return ip
}

// prefix takes an address with or without a length; "default" is 0.0.0.0/0, "default6" ::/0.
func (r *wordReader) prefix() netip.Prefix {
	w := r.next("an address with a prefix length")
	switch w.s {
	case "default":
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	case "default6":
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	if ip, err := netip.ParseAddr(w.s); err == nil {
		return netip.PrefixFrom(ip, ip.BitLen())
	}
	p, err := netip.ParsePrefix(w.s)
	if err != nil {
		r.fail(w, "expected an address as in 10.0.0.3/24, got %q", w.s)
	}
	return p
}

// path takes host:/path, or /path on host a.
func (r *wordReader) path() (host, path string) {
	w := r.next("a path")
	host, path = "a", w.s
	if h, p, ok := strings.Cut(w.s, ":"); ok && r.hosts(h) {
		host, path = h, p
	}
	if !strings.HasPrefix(path, "/") {
		r.fail(w, "expected a path as in /dir/s or b:/dir/s, got %q", w.s)
	}
	return host, path
}

// actionWords are the first words of actions; parseAction reads each of them.
var actionWords = append([]string{
	"sleep", "sysctl", "firewall", "route", "rule", "interface", "address", "delay", "icmp", "stop", "continue", "deny",
	"dir", "file", "fifo", "device", "symlink", "hardlink", "tmpfs", "disk", "chmod", "chown", "unlink", "rename",
	"readonly", "break",
}, accessWords...)

// parseAction reads an action: a word of actionWords and what belongs to it.
func parseAction(t text, hosts func(string) bool) (Action, error) {
	words, err := t.words()
	if err != nil {
		return nil, err
	}
	r := &wordReader{whole: t, rest: words[1:], hosts: hosts}
	a := r.action(words[0].s)
	if r.err == nil && len(r.rest) > 0 {
		r.fail(r.rest[0], "unexpected %q at the end of %q", r.rest[0].s, words[0].s)
	}
	return a, r.err
}

func (r *wordReader) action(verb string) Action {
	switch verb {
	case "sleep":
		return Sleep{For: r.time()}
	case "sysctl":
		s := Sysctl{Host: r.host(), Name: r.next("a sysctl's name").s}
		r.oneOf("=")
		s.Value = r.next("a value").s
		for len(r.rest) > 0 {
			s.Value += " " + r.next("").s
		}
		return s
	case "firewall":
		return r.firewall()
	case "route":
		return r.route()
	case "rule":
		return Rule{
			Host: r.host(), Type: r.oneOf("unreachable", "blackhole", "prohibit"), Destination: r.prefix(),
		}
	case "interface":
		return Interface{Host: r.host(), Name: r.next("an interface").s, Up: r.oneOf("up", "down") == "up"}
	case "address":
		return InterfaceAddress{
			Host: r.host(), Interface: r.next("an interface").s, Delete: r.oneOf("add", "del") == "del",
			Address: r.prefix(),
		}
	case "delay":
		return Delay{Host: r.host(), Interface: r.next("an interface").s, Delay: r.time()}
	case "icmp":
		return r.icmp()
	case "stop", "continue":
		return Stop{Process: r.next("a process").s, Continue: verb == "continue"}
	case "deny":
		return DenyConnect{Host: r.host(), Family: r.oneOf("INET", "INET6")}
	case "label", "mode", "boolean", "checks":
		return r.access(verb)
	default:
		return r.file(verb)
	}
}

func (r *wordReader) firewall() Action {
	f := Firewall{Host: r.host()}
	if f.Chain = r.oneOf("input", "output", "flush"); f.Chain == "flush" {
		return Firewall{Host: f.Host, Flush: true}
	}
	f.Protocol = r.oneOf("tcp", "udp")
	if r.take("dport") {
		f.Port = r.number("a port", 65535)
	}
	f.AckOnly = r.take("ack")
	if r.oneOf("drop", "reject") == "drop" {
		f.Verdict = "drop"
		return f
	}
	switch {
	case r.take("tcp-reset"):
		f.Verdict = "tcp-reset"
	case r.take("icmp"):
		f.Reject = "icmp"
		f.Verdict = r.oneOf("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable",
			"net-prohibited", "host-prohibited", "admin-prohibited")
	case r.take("icmpv6"):
		f.Reject = "icmpv6"
		f.Verdict = r.oneOf("no-route", "admin-prohibited", "addr-unreachable", "port-unreachable", "policy-fail",
			"reject-route")
	default:
		f.Verdict = "port-unreachable" // nft(8): the default of both families
	}
	return f
}

func (r *wordReader) route() Action {
	a := Route{Host: r.host(), Delete: r.oneOf("add", "del") == "del", Type: "unicast"}
	for _, t := range []string{"unreachable", "blackhole", "prohibit", "throw"} {
		if r.take(t) {
			a.Type = t
		}
	}
	a.Destination = r.prefix()
	for len(r.rest) > 0 {
		switch r.oneOf("via", "dev", "src") {
		case "via":
			a.Via = r.address()
		case "dev":
			a.Interface = r.next("an interface").s
		case "src":
			a.Source = r.address()
		default:
			return a
		}
	}
	return a
}

func (r *wordReader) icmp() Action {
	a := ICMP{Socket: r.next("a socket").s}
	w := r.next("type/code")
	typ, code, _ := strings.Cut(w.s, "/")
	var err1, err2 error
	a.Type, err1 = strconv.Atoi(typ)
	a.Code, err2 = strconv.Atoi(code)
	if err1 != nil || err2 != nil || a.Type < 0 || a.Type > 255 || a.Code < 0 || a.Code > 255 {
		r.fail(w, "expected an ICMP type/code as in 3/1, got %q", w.s)
	}
	if r.take("mtu") {
		a.MTU = r.number("an MTU", 65535)
	}
	return a
}

func (r *wordReader) file(verb string) Action {
	host, path := r.path()
	switch verb {
	case "symlink", "hardlink":
		r.oneOf("->")
		return MakeFile{Host: host, Path: path, Kind: FileKind(verb), Target: r.next("a target").s}
	case "chmod":
		w := r.next("a mode")
		mode, err := strconv.ParseUint(w.s, 8, 12)
		if err != nil {
			r.fail(w, "expected an octal mode as in 755, got %q", w.s)
		}
		return ChangeFile{Host: host, Path: path, Mode: fs.FileMode(mode), SetMode: true}
	case "chown":
		w := r.next("uid:gid")
		uid, gid, _ := strings.Cut(w.s, ":")
		u, err1 := strconv.Atoi(uid)
		g, err2 := strconv.Atoi(gid)
		if err1 != nil || err2 != nil {
			r.fail(w, "expected uid:gid, got %q", w.s)
		}
		return ChangeFile{Host: host, Path: path, UID: u, GID: g}
	case "unlink":
		return RemoveFile{Host: host, Path: path}
	case "rename":
		r.oneOf("->")
		return RemoveFile{Host: host, Path: path, To: r.next("a path").s}
	case "readonly", "break":
		return Remount{Host: host, Path: path, Broken: verb == "break"}
	default:
		return MakeFile{Host: host, Path: path, Kind: FileKind(verb)}
	}
}
