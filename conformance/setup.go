// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strings"
)

func (p *caseParser) hostLine(t text, words []text) error {
	if len(words) < 2 {
		return t.errorf(len(t.s), "expected a name behind \"host\"")
	}
	h := Host{Name: words[1].s}
	if p.isHost(h.Name) {
		return words[1].errorf(0, "a second host %s", h.Name)
	}
	rest := words[2:]
	for len(rest) >= 2 {
		switch {
		case rest[0].s == "lo" && rest[1].s == "down":
			h.LoDown = true
		case rest[0].s == "tree" && p.isHost(rest[1].s):
			h.Tree = rest[1].s
		default:
			return rest[0].errorf(0, "expected \"lo down\" or \"tree HOST\", got %q", rest[0].s)
		}
		rest = rest[2:]
	}
	if len(rest) > 0 {
		return rest[0].errorf(0, "expected \"lo down\" or \"tree HOST\", got %q", rest[0].s)
	}
	p.c.Hosts = append(p.c.Hosts, h)
	p.c.Processes = append(p.c.Processes, Process{h.Name, h.Name})
	return nil
}

func (p *caseParser) cableLine(t text, words []text) error {
	if len(words) == 3 {
		hostA, nameA, okA := strings.Cut(words[1].s, ":")
		hostB, nameB, okB := strings.Cut(words[2].s, ":")
		if okA && okB && p.isHost(hostA) && p.isHost(hostB) {
			p.c.Cables = append(p.c.Cables, Cable{hostA, nameA, hostB, nameB})
			return nil
		}
	}
	return t.errorf(0, "expected \"cable HOST:INTERFACE HOST:INTERFACE\", got %q", t.s)
}

func (p *caseParser) isHost(name string) bool {
	return slices.ContainsFunc(p.c.Hosts, func(h Host) bool { return h.Name == name })
}

func (p *caseParser) isProcess(name string) bool {
	return slices.ContainsFunc(p.c.Processes, func(q Process) bool { return q.Name == name })
}
