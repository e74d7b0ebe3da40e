// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"dialtone/conformance"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// sendControl is sendmsg with control messages, the arguments from the fifth on.
func (t *thread) sendControl(fd int, a []conformance.Arg, to sockaddr.Raw) (conformance.Result, error) {
	h := t.process.host
	address, e := socket.Destination(h.Stack().Core().Personality, to)
	if e != 0 {
		return result("", e.Err())
	}
	m := socket.Message{Data: a[1].Data, Flags: a[3].Int, To: address}
	for _, arg := range a[4:] {
		data, err := arg.Control.Resolved(t.process.host.index)
		if err != nil {
			return conformance.Result{}, err
		}
		m.Control = append(m.Control, socket.ControlMessage{Level: arg.Control.Level, Type: arg.Control.Type, Data: data})
	}
	n, err := t.as.Sendmsg(fd, &m)
	return result(conformance.Number(n), err)
}

// value is that of an option.
func (t *thread) value(a conformance.Arg) ([]byte, error) {
	if a.Control.Data == nil {
		return a.Data, nil
	}
	return a.Control.Resolved(t.process.host.index)
}

// index returns that of an interface.
func (h *host) index(name string) (int, error) {
	i := h.interfaceNamed(name)
	if i == nil {
		return 0, conformance.NotRun("host %s has no interface %s", h.Name(), name)
	}
	return i.Index, nil
}

// control writes the control messages that a message came with.
func (t *thread) control(m *socket.Message) (all []string) {
	for _, c := range m.Control {
		all = append(all, conformance.ControlText(c.Level, c.Type, c.Data, t.process.host.interfaceName))
	}
	return all
}
