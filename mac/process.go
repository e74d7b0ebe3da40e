// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"dialtone/errno"
	"dialtone/selinux"
	"dialtone/socket"
)

// This file is how processes come to other labels. The order of the checks is that of Linux (selinux_setprocattr,
// selinux_bprm_creds_for_exec).

// SetProcessContext is setcon(3): the process goes on under another context. alone tells that it has no other thread;
// with others it may only go to a type that its own bounds (EPERM). It changes c.
func (m *Module) SetProcessContext(c *socket.Caller, context string, alone bool) errno.Errno {
	m.core.Lock()
	defer m.core.Unlock()
	m.subject = subject{caller: c}
	from := m.process(c)
	if e := m.may(from, from, selinux.ClassProcess, selinux.ProcessSetcurrent); e != errno.OK {
		return e
	}
	to, err := m.server.ContextToSID(context)
	if err != nil {
		return errno.EINVAL
	}
	if !alone && !m.server.Bounded(from, to) {
		return errno.EPERM
	}
	if e := m.may(from, to, selinux.ClassProcess, selinux.ProcessDyntransition); e != errno.OK {
		return e
	}
	c.SocketSID = uint32(m.socketSID(c)) // the program's own, which goes by its name, stays
	c.SID = uint32(to)
	return errno.OK
}

// Exec is execve(2) of the file at path, without links, under a name: it returns who the process is afterwards, and does
// not change c. What SetExecContext has said comes first; else, where the file has a label, the policy's type transition
// decides; else the label that the owner gave to programs of that name; else nothing changes. EACCES: the policy does not
// permit it.
func (m *Module) Exec(c *socket.Caller, name, path string) (*socket.Caller, errno.Errno) {
	m.core.Lock()
	defer m.core.Unlock()
	m.subject = subject{caller: c, file: path}
	from := m.process(c)
	to := from
	after := c.Fork()
	after.Name, after.SocketSID, after.ExecSID = name, 0, 0
	file, labelled := m.files[path]
	if c.ExecSID != 0 {
		to = selinux.SID(c.ExecSID)
	} else if labelled {
		var err error
		if to, err = m.server.TransitionSID(from, file, selinux.ClassProcess); err != nil {
			return nil, errno.EACCES
		}
	} else if p, ok := m.programs[name]; ok {
		to, after.SocketSID = p.process, uint32(p.sockets)
	}
	after.SID = uint32(to)
	return after, m.mayExec(from, to, file)
}

// mayExec checks the change of label, and what is asked of the file if it has a label.
func (m *Module) mayExec(from, to, file selinux.SID) errno.Errno {
	perms := selinux.FileExecute
	if from == to {
		perms |= selinux.FileExecuteNoTrans
	} else if e := m.may(from, to, selinux.ClassProcess, selinux.ProcessTransition); e != errno.OK {
		return e
	}
	if file == 0 {
		return errno.OK
	}
	if e := m.may(from, file, selinux.ClassFile, perms); e != errno.OK || from == to {
		return e
	}
	return m.may(to, file, selinux.ClassFile, selinux.FileEntrypoint)
}
