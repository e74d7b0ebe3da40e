// SPDX-License-Identifier: Apache-2.0

// Package errno holds the one world of errors of the socket layer: the error numbers of errno(3).
//
// An [Errno] is converted once, at the edge where it leaves: to [syscall.Errno] for a Go caller ([Errno.Syscall]), to
// the number of the target's ABI for a hosted program (on Linux the value as it is). Inside, errors are compared as
// values, never as text.
package errno

import (
	"strconv"
	"syscall"
)

// Errno is an error number of Linux's generic ABI. Zero means no error; a nil error is never an Errno.
type Errno uint16

// OK is the absence of an error.
const OK Errno = 0

// EWOULDBLOCK and ENOTSUP are other names for the same errors on Linux (errno(3)).
const (
	EWOULDBLOCK = EAGAIN
	ENOTSUP     = EOPNOTSUPP
)

// Error returns what strerror(3) says, beginning in lower case as Go's errors do.
func (e Errno) Error() string {
	if t, ok := table[e]; ok {
		return t.text
	}
	return "errno " + strconv.Itoa(int(e))
}

// Name returns the error's symbol, such as ECONNREFUSED; "0" for no error.
func (e Errno) Name() string {
	if t, ok := table[e]; ok {
		return t.name
	}
	return strconv.Itoa(int(e))
}

// Known reports whether the error has a name here.
func (e Errno) Known() bool {
	_, ok := table[e]
	return ok
}

// Named returns the error with the given symbol.
func Named(symbol string) (e Errno, ok bool) {
	switch symbol {
	case "EWOULDBLOCK":
		return EWOULDBLOCK, true
	case "ENOTSUP":
		return ENOTSUP, true
	}
	for e, t := range table {
		if t.name == symbol {
			return e, true
		}
	}
	return 0, false
}

// Syscall returns the error as the system that this program runs on numbers it, so that errors.Is with that system's
// constants holds. Errors that it does not have become EIO.
func (e Errno) Syscall() syscall.Errno { return toSystem(e) }

// Err returns e as an error: nil for no error, else a [syscall.Errno].
func (e Errno) Err() error {
	if e == OK {
		return nil
	}
	return e.Syscall()
}
