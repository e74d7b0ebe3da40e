// SPDX-License-Identifier: Apache-2.0

// Package policytool answers questions on an SELinux policy line by line, for scripts: each line of the input is a
// question, and for each a line with a JSON object is written. A line that is no question gets an object with the
// line's number and an error instead, and does not touch the others. Empty lines are passed over.
//
// The objects have the fields that tests made with libsepol have: s, t and c are source, target and class.
package policytool

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"dialtone/selinux"
)

// BadLinesError says that some lines were no questions; each has its error in the output.
type BadLinesError struct{ Bad, Lines int }

func (e *BadLinesError) Error() string {
	return fmt.Sprintf("%d of %d lines are wrong", e.Bad, e.Lines)
}

// maxLine bounds a line of the input, in bytes. A context with every category of a policy is far shorter.
const maxLine = 1 << 20

// lineError is written for a line that is no question.
type lineError struct {
	Line  int    `json:"line"` // 1 is the first
	Error string `json:"error"`
}

// eachLine answers each line by f, which gets as many words as what names. It gives a *BadLinesError at the end if f
// failed for some, or else the error of reading or writing.
func eachLine(in io.Reader, out io.Writer, what string, f func(words []string) (any, error)) error {
	want := len(strings.Fields(what))
	w := bufio.NewWriter(out)
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxLine)
	number, asked, bad := 0, 0, 0
	for sc.Scan() {
		number++
		words := strings.Fields(sc.Text())
		if len(words) == 0 {
			continue
		}
		asked++
		var answer any
		err := fmt.Errorf("%d words, where %s is expected", len(words), what)
		if len(words) == want {
			answer, err = f(words)
		}
		if err != nil {
			bad++
			answer = lineError{number, err.Error()}
		}
		line, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
		if err := w.Flush(); err != nil { // at once: the script may wait for it
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	if bad > 0 {
		return &BadLinesError{bad, asked}
	}
	return nil
}

// ParseBooleans reads settings NAME=0 and NAME=1.
func ParseBooleans(settings []string) (map[string]bool, error) {
	states := make(map[string]bool, len(settings))
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		if name == "" || value != "0" && value != "1" {
			return nil, fmt.Errorf("%q is not of the form NAME=0 or NAME=1", s)
		}
		states[name] = value == "1"
	}
	return states, nil
}

// question reads the source, target and class that many lines begin with.
func question(p *selinux.Policy, words []string) (source, target selinux.Context, class selinux.ClassValue, err error) {
	if source, err = p.ParseContext(words[0]); err != nil {
		return source, target, 0, err
	}
	if target, err = p.ParseContext(words[1]); err != nil {
		return source, target, 0, err
	}
	class, err = classOf(p, words[2])
	return source, target, class, err
}

func classOf(p *selinux.Policy, name string) (selinux.ClassValue, error) {
	class, ok := p.Class(name)
	if !ok {
		return 0, fmt.Errorf("the policy has no class %q", name)
	}
	return class, nil
}

// Port answers lines PROTOCOL PORT, where the protocol is tcp, udp, dccp, sctp or a number, with the port's context.
func Port(s *selinux.Server, in io.Reader, out io.Writer) error {
	type answer struct {
		Proto          int    `json:"proto"`
		Port           uint16 `json:"port"`
		InitialSIDPort bool   `json:"initial_sid_port"` // no rule names the port
		Context        string `json:"context"`
	}
	return eachLine(in, out, "PROTOCOL PORT", func(words []string) (any, error) {
		proto, ok := map[string]int{"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132}[words[0]]
		if !ok {
			n, err := strconv.ParseUint(words[0], 10, 16)
			if err != nil {
				return nil, fmt.Errorf("%q is no protocol", words[0])
			}
			proto = int(n)
		}
		port, err := strconv.ParseUint(words[1], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%q is no port", words[1])
		}
		sid := s.PortSID(proto, uint16(port))
		context, err := s.SIDToContext(sid)
		return answer{proto, uint16(port), sid == selinux.InitialPort, context}, err
	})
}

// Context answers lines CONTEXT: whether the policy accepts it, and its canonical form. A context that it does not
// accept is an answer and no error.
func Context(s *selinux.Server, in io.Reader, out io.Writer) error {
	type answer struct {
		Context   string `json:"context"`
		Valid     bool   `json:"valid"`
		Canonical string `json:"canonical"`
	}
	return eachLine(in, out, "CONTEXT", func(words []string) (any, error) {
		a := answer{Context: words[0]}
		if c, err := s.Policy().ParseContext(words[0]); err == nil {
			a.Valid, a.Canonical = true, s.Policy().FormatContext(&c)
		}
		return a, nil
	})
}

// Transition answers lines SOURCE TARGET CLASS with the labels that transition, member and change give, by the rules
// of libsepol; a label that the policy does not accept is empty. For sockets see SocketLabel.
func Transition(s *selinux.Server, in io.Reader, out io.Writer) error {
	type answer struct {
		S          string `json:"s"`
		T          string `json:"t"`
		C          string `json:"c"`
		Transition string `json:"transition"`
		Member     string `json:"member"`
		Change     string `json:"change"`
	}
	return eachLine(in, out, "SOURCE TARGET CLASS", func(words []string) (any, error) {
		source, target, class, err := question(s.Policy(), words)
		if err != nil {
			return nil, err
		}
		a := answer{S: words[0], T: words[1], C: words[2]}
		a.Transition = label(s, s.Transition, &source, &target, class)
		a.Member = label(s, s.Member, &source, &target, class)
		a.Change = label(s, s.Change, &source, &target, class)
		return a, nil
	})
}

func label(s *selinux.Server, f func(_, _ *selinux.Context, _ selinux.ClassValue) (selinux.Context, error), source, target *selinux.Context, class selinux.ClassValue) string {
	c, err := f(source, target, class)
	if err != nil {
		return ""
	}
	return s.Policy().FormatContext(&c)
}

// SocketLabel answers lines PROCESS CLASS with the label that a kernel gives a socket of the class which the process
// makes; one that the policy does not accept is empty. The policy's name goes into each answer.
func SocketLabel(s *selinux.Server, policy string, in io.Reader, out io.Writer) error {
	type answer struct {
		Policy  string `json:"policy"`
		Process string `json:"process"`
		Class   string `json:"class"`
		Socket  string `json:"socket"`
	}
	return eachLine(in, out, "PROCESS CLASS", func(words []string) (any, error) {
		process, err := s.Policy().ParseContext(words[0])
		if err != nil {
			return nil, err
		}
		class, err := classOf(s.Policy(), words[1])
		if err != nil {
			return nil, err
		}
		a := answer{Policy: policy, Process: words[0], Class: words[1]}
		if c, err := s.SocketContext(&process, class); err == nil {
			a.Socket = s.Policy().FormatContext(&c)
		}
		return a, nil
	})
}

// Explain tells why a permission is allowed or denied. Contexts that the policy does not accept are errors; a class or
// permission that it lacks is explained.
func Explain(s *selinux.Server, source, target, class, permission string) (selinux.Explanation, error) {
	a, err := s.Policy().ParseContext(source)
	if err != nil {
		return selinux.Explanation{}, err
	}
	b, err := s.Policy().ParseContext(target)
	if err != nil {
		return selinux.Explanation{}, err
	}
	return s.Explain(&a, &b, class, permission), nil
}
