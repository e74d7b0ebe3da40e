// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/socket"
)

// contextMax is the longest context that a call takes, in bytes.
const contextMax = 8192

// ContextToSID is security_context_to_sid, asked by a process.
func (m *Module) ContextToSID(c *socket.Caller, context string) (uint32, errno.Errno) {
	if len(context) == 0 || len(context) > contextMax {
		return 0, errno.ENAMETOOLONG
	}
	m.core.Lock()
	defer m.core.Unlock()
	if e := m.maySecurity(c, selinux.SecurityContextToSID); e != errno.OK {
		return 0, e
	}
	sid, err := m.server.ContextToSID(context)
	if err != nil {
		return 0, errno.EINVAL
	}
	return uint32(sid), errno.OK
}

// SIDToContext is security_sid_to_context, asked by a process.
func (m *Module) SIDToContext(c *socket.Caller, sid uint32) (string, errno.Errno) {
	m.core.Lock()
	defer m.core.Unlock()
	if e := m.maySecurity(c, selinux.SecuritySIDToContext); e != errno.OK {
		return "", e
	}
	context, err := m.server.SIDToContext(selinux.SID(sid))
	if err != nil {
		return "", errno.EINVAL
	}
	return context, errno.OK
}

func (m *Module) maySecurity(c *socket.Caller, perm selinux.Perm) errno.Errno {
	m.subject = subject{caller: c}
	return m.may(m.process(c), selinux.InitialSecurity, selinux.ClassSecurity, perm)
}

// SocketContext returns the context that SetSocketContext, or the owner of the program, has given; empty: none.
func (m *Module) SocketContext(c *socket.Caller) string {
	m.core.Lock()
	defer m.core.Unlock()
	sid := m.socketSID(c)
	if sid == 0 {
		return ""
	}
	return m.text(sid)
}

// SetSocketContext is setsockcreatecon(3): the context of the sockets that a process makes from now on; an empty one
// leaves it to the policy again. It changes c.
func (m *Module) SetSocketContext(c *socket.Caller, context string) errno.Errno {
	return m.setOwn(c, &c.SocketSID, context, selinux.ProcessSetsockcreate)
}

// ExecContext returns the context that SetExecContext has given; empty: none.
func (m *Module) ExecContext(c *socket.Caller) string {
	m.core.Lock()
	defer m.core.Unlock()
	if c.ExecSID == 0 {
		return ""
	}
	return m.text(selinux.SID(c.ExecSID))
}

// SetExecContext is setexeccon(3): the context of the program that the process executes next; an empty one leaves it to the
// policy again. It changes c.
func (m *Module) SetExecContext(c *socket.Caller, context string) errno.Errno {
	return m.setOwn(c, &c.ExecSID, context, selinux.ProcessSetexec)
}

// setOwn sets an attribute of c's that the process itself may set with perm.
func (m *Module) setOwn(c *socket.Caller, sid *uint32, context string, perm selinux.Perm) errno.Errno {
	m.core.Lock()
	defer m.core.Unlock()
	m.subject = subject{caller: c}
	process := m.process(c)
	if e := m.may(process, process, selinux.ClassProcess, perm); e != errno.OK {
		return e
	}
	if context == "" {
		*sid = 0
		return errno.OK
	}
	to, err := m.server.ContextToSID(context)
	if err != nil {
		return errno.EINVAL
	}
	*sid = uint32(to)
	return errno.OK
}

// ProcessContext returns the context of a process.
func (m *Module) ProcessContext(c *socket.Caller) string {
	m.core.Lock()
	defer m.core.Unlock()
	return m.text(m.process(c))
}
