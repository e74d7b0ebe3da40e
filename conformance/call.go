// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ArgKind is what an argument of a call means.
type ArgKind int

// The kinds of arguments.
const (
	ArgFD      ArgKind = iota // Text is the variable's name, Int the descriptor
	ArgInt                    // Int: a number, flags or another constant
	ArgAddress                // Address, with all that follows it
	ArgData                   // Data: bytes to send
	ArgTime                   // Time
	ArgOption                 // Option
	ArgValue                  // Data: the value of the option before it
	ArgText                   // Text: a path, or one of a few words
	ArgSID                    // Text: the security context that the SID stands for; Int: the SID, if Text is ""
	ArgContext                // Text: a security context, which may be wrong
	ArgControl                // Control
)

// Arg is one argument of a call.
type Arg struct {
	Kind    ArgKind
	Text    string
	Int     int
	Address Address
	Data    []byte
	Time    time.Duration
	Option  Option
	Control Control // of ArgValue: the value, if there is an interface in it
}

// param describes an argument: how it is read.
type param struct {
	kind     ArgKind
	names    names    // ArgInt: constants that are allowed; nil for numbers only
	words    []string // ArgText: words that are allowed; nil for a quoted path
	optional bool
	what     string // for error messages
}

// signature describes a call: its parameters and how many descriptors it makes.
type signature struct {
	params []param
	binds  int
	rest   bool // the last parameter may be repeated
}

var (
	pFD      = param{kind: ArgFD, what: "a socket's name or a descriptor number"}
	pAddress = param{kind: ArgAddress, what: "an address"}
	pData    = param{kind: ArgData, what: "data in quotes"}
	pTime    = param{kind: ArgTime, what: "a time as in 300ms"}
	pNumber  = param{kind: ArgInt, what: "a number"}
	pPath    = param{kind: ArgText, what: "a path in quotes"}
	pOption  = param{kind: ArgOption, what: "a socket option"}
	pSID     = param{kind: ArgSID, what: "a SID: a number, or a context as in u:r:client"}
	pContext = param{kind: ArgContext, what: "a security context, in quotes if it is none"}
	pControl = param{kind: ArgControl, optional: true, what: "a control message as in IP_TTL 5"}
	pFlags   = param{kind: ArgInt, names: messageFlags, optional: true, what: "MSG_ flags"}
)

func pNames(n names, what string) param     { return param{kind: ArgInt, names: n, what: what} }
func pWords(what string, w ...string) param { return param{kind: ArgText, words: w, what: what} }

// Descriptors are the kinds of descriptors that "descriptor" makes.
var Descriptors = []string{
	"pipe-read", "pipe-write", "eventfd", "memfd", "pty", "timerfd", "netns",
}

// signatures are the calls that scripts may make; init adds those that need access control.
var signatures = map[string]signature{
	"socket":       {params: socketParams, binds: 1},
	"socketpair":   {params: socketParams, binds: 2},
	"bind":         {params: []param{pFD, pAddress}},
	"connect":      {params: []param{pFD, pAddress}},
	"listen":       {params: []param{pFD, pNumber}},
	"accept":       {params: []param{pFD}, binds: 1},
	"shutdown":     {params: []param{pFD, pNames(shutdowns, "SHUT_RD, SHUT_WR or SHUT_RDWR")}},
	"close":        {params: []param{pFD}},
	"dup":          {params: []param{pFD}, binds: 1},
	"inherit":      {params: []param{pFD}, binds: 1},
	"send":         {params: []param{pFD, pData, pFlags}},
	"sendto":       {params: []param{pFD, pData, pAddress, pFlags}},
	"sendmsg":      {params: []param{pFD, pData, pAddress, pFlags, pControl}, rest: true},
	"recv":         {params: []param{pFD, pFlags}},
	"recvfrom":     {params: []param{pFD, pFlags}},
	"recvmsg":      {params: []param{pFD, pFlags}},
	"getsockopt":   {params: []param{pFD, pOption}},
	"setsockopt":   {params: []param{pFD, pOption, {kind: ArgValue, what: "the option's value"}}},
	"getsockname":  {params: []param{pFD}},
	"getpeername":  {params: []param{pFD}},
	"poll":         {params: []param{pFD, pNames(pollEvents, "poll events"), pTime}},
	"select":       {params: []param{pFD, pTime}},
	"epoll_create": {binds: 1},
	"epoll_ctl": {params: []param{
		pFD, pNames(epollOps, "ADD, MOD or DEL"), pFD, pNames(epollEvents, "epoll events"),
	}},
	"epoll_wait": {params: []param{pFD, pTime}},
	"fcntl":      {params: []param{pFD, pWords("O_NONBLOCK", "O_NONBLOCK"), pWords("on or off", "on", "off")}},
	"open":       {params: []param{pPath, pNames(openFlags, "open flags")}, binds: 1},
	"descriptor": {params: []param{pWords("a kind of descriptor", Descriptors...)}, binds: 1},
	"seteuid":    {params: []param{pNumber}},
	"setegid":    {params: []param{pNumber}},
	"setgroups":  {params: []param{pNumber}, rest: true},
	"capset":     {params: []param{pNames(capabilities, "capabilities joined by |, or 0")}},
	"landlock":   {params: []param{pNumber}, rest: true},
	"state":      {params: []param{pFD}},
	"syns":       {params: []param{pAddress}},
}

var socketParams = []param{
	pNames(families, "an address family"), pNames(types, "a socket type"),
	{kind: ArgInt, names: protocols, optional: true, what: "a protocol"},
}

// parseCall reads "name(arguments)". Variables must have been replaced by then; fds tells the descriptors of names.
func parseCall(t text, fds func(string) (int, bool)) (Call, error) {
	open := strings.IndexByte(t.s, '(')
	if open < 0 || t.s[len(t.s)-1] != ')' {
		return Call{}, t.errorf(0, "expected a call as in connect(s, 10.0.0.2:80), got %q", t.s)
	}
	c := Call{Name: t.s[:open]}
	sig, ok := signatures[c.Name]
	if !ok {
		return c, t.errorf(0, "unknown call %q, expected one of %s", c.Name, knownCalls())
	}
	var args []text
	if inner := t.slice(open+1, len(t.s)-1).trim(); inner.s != "" {
		args = inner.split(',')
	}
	next := 0
	for i, p := range sig.params {
		for next < len(args) {
			used, arg, err := p.parse(args[next:], fds, c.Args)
			if err != nil {
				return c, args[next].errorf(0, "%s: %v", c.Name, err)
			}
			c.Args = append(c.Args, arg)
			next += used
			if !sig.rest || i < len(sig.params)-1 {
				break
			}
		}
		if len(c.Args) <= i && !p.optional {
			return c, t.errorf(len(t.s)-1, "%s: too few arguments, expected %s here", c.Name, p.what)
		}
	}
	if next < len(args) {
		return c, args[next].errorf(0, "%s: too many arguments: %q", c.Name, args[next].s)
	}
	return c, nil
}

// parse reads one argument from the front of args and says how many it took: an address takes its modifiers along.
func (p param) parse(args []text, fds func(string) (int, bool), before []Arg) (int, Arg, error) {
	s := args[0].s
	arg := Arg{Kind: p.kind, Text: s}
	bad := fmt.Errorf("expected %s, got %q", p.what, s)
	switch p.kind {
	case ArgFD:
		n, ok := fds(s)
		if !ok {
			return 0, arg, fmt.Errorf("expected %s, and nothing is called %q so far", p.what, s)
		}
		arg.Int = n
	case ArgInt:
		n, ok := p.names.flags(s)
		if !ok && p.names != nil {
			return 0, arg, fmt.Errorf("expected %s, got %q; known are %s", p.what, s, p.names.known())
		}
		if !ok {
			return 0, arg, bad
		}
		arg.Int = n
	case ArgAddress:
		var modifiers []string
		used := 1
		for ; used < len(args) && isModifier(args[used].s); used++ {
			modifiers = append(modifiers, args[used].s)
		}
		var err error
		arg.Address, err = parseAddress(s, modifiers)
		return used, arg, err
	case ArgData:
		if count, ok := strings.CutSuffix(s, " bytes"); ok {
			n, err := strconv.ParseUint(count, 10, 17)
			if err != nil {
				return 0, arg, bad
			}
			arg.Data = make([]byte, n)
			break
		}
		d, err := strconv.Unquote(s)
		if err != nil {
			return 0, arg, bad
		}
		arg.Data = []byte(d)
	case ArgTime:
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, arg, bad
		}
		arg.Time = d
	case ArgOption:
		o, ok := findOption(s)
		if !ok {
			return 0, arg, bad
		}
		arg.Option = o
	case ArgValue:
		var err error
		option := before[len(before)-1].Option
		if arg.Control, err = option.onInterface(s); arg.Control.Data == nil && err == nil {
			arg.Data, err = option.encode(s)
		}
		return 1, arg, err
	case ArgControl:
		var err error
		arg.Control, err = parseControl(s)
		return 1, arg, err
	case ArgSID, ArgContext:
		err := p.label(&arg)
		return 1, arg, err
	case ArgText:
		if p.words != nil {
			if !slices.Contains(p.words, s) {
				return 0, arg, fmt.Errorf("expected %s (%s), got %q", p.what, strings.Join(p.words, " "), s)
			}
			break
		}
		path, err := strconv.Unquote(s)
		if err != nil {
			return 0, arg, bad
		}
		arg.Text = path
	}
	return 1, arg, nil
}

// label reads a SID or a security context. Those with commas, and texts that are none, stand in quotes.
func (p param) label(arg *Arg) error {
	if strings.HasPrefix(arg.Text, `"`) {
		s, err := strconv.Unquote(arg.Text)
		arg.Text = s
		return err
	}
	if isContext(arg.Text) {
		return nil
	}
	n, err := strconv.ParseUint(arg.Text, 10, 32)
	if err != nil || p.kind != ArgSID {
		return fmt.Errorf("expected %s, got %q", p.what, arg.Text)
	}
	arg.Text, arg.Int = "", int(n)
	return nil
}

func isModifier(s string) bool {
	key, _, ok := strings.Cut(s, "=")
	return s == "guard" || ok && slices.Contains([]string{"len", "family", "flowinfo"}, key)
}

func init() { maps.Copy(signatures, secureCalls) }

func knownCalls() string { return strings.Join(slices.Sorted(maps.Keys(signatures)), " ") }
