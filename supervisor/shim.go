// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// shimReport is what keeper and shim say on the start descriptor, a
// SOCK_SEQPACKET: the listener's number, answered by one byte when the
// supervisor has taken it; or a failure. End of file without either after the
// answer means that the exec succeeded.
type shimReport struct {
	Pid      int    `json:",omitempty"`
	Listener int    `json:",omitempty"`
	Status   int    `json:",omitempty"` // exit status of the failure
	Failure  string `json:",omitempty"`
}

func report(start int, r shimReport) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// write(2), not sendmsg(2): the shim's thread is under the filter.
	_, err = unix.Write(start, b)
	return err
}

func reportFailure(start, status int, err error) {
	_ = report(start, shimReport{Status: status, Failure: err.Error()}) // EPIPE: nobody waits for it
}

// shimMain puts the thread under the filter, hands the listener over and
// execs the target. args: the start descriptor, the process group, whether
// the host has access control, argv.
func shimMain(args []string) int {
	var start, group int
	var labelled bool
	if _, err := fmt.Sscan(strings.Join(args[:3], " "), &start, &group, &labelled); err != nil {
		return 125
	}
	unix.CloseOnExec(start)
	status, err := shim(start, group, labelled, args[3:])
	reportFailure(start, status, err)
	return status
}

// shim returns only when it failed.
func shim(start, group int, labelled bool, argv []string) (status int, err error) {
	// The keeper is in a group of its own; the target belongs where the
	// supervisor is, so that the terminal treats it as if run directly.
	if err := unix.Setpgid(0, group); err != nil {
		return 125, fmt.Errorf("setpgid(0, %d): %w", group, err)
	}
	path, err := lookPath(argv[0], os.Getenv("PATH"))
	if err != nil {
		return startStatus(err), fmt.Errorf("%s: %w", argv[0], err)
	}
	if unreadable(path) {
		return 126, fmt.Errorf("%s: cannot be hosted: the file is executable but not readable, and the kernel shields such a process from its supervisor", argv[0])
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 125, fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", err)
	}
	listener, err := installFilter(labelled)
	if err != nil {
		return 125, err
	}
	if err := report(start, shimReport{Pid: os.Getpid(), Listener: listener}); err != nil {
		return 125, err
	}
	if n, err := unix.Read(start, make([]byte, 1)); err != nil || n != 1 {
		return 125, errors.New("the supervisor did not take the listener")
	}
	// The listener itself is close-on-exec by birth.
	err = syscall.Exec(path, argv, os.Environ())
	if err == unix.ENOEXEC { // execvp(3): a script without #! belongs to the shell
		err = syscall.Exec("/bin/sh", append([]string{"sh", path}, argv[1:]...), os.Environ())
	}
	return startStatus(err), fmt.Errorf("%s: %w", argv[0], err)
}

// startStatus is the shell's exit status for a program that could not be
// started (POSIX XCU 2.8.2).
func startStatus(err error) int {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return 127
	}
	return 126
}

// lookPath finds a program as execvp(3) does: a name without a slash is
// searched along PATH; a file that may not be executed is remembered, in case
// no other is found. As in shells, a directory that may not be searched holds
// nothing.
func lookPath(name, path string) (string, error) {
	if name == "" {
		return "", unix.ENOENT
	}
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	found := error(unix.ENOENT)
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		switch err := executable(file); {
		case err == nil:
			return file, nil
		case errors.Is(err, errNotExecutable):
			found = err
		}
	}
	return "", found
}

func executable(file string) error {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errNotExecutable
	}
	if err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS); err != nil {
		return errNotExecutable
	}
	return nil
}

// errNotExecutable is EACCES for a file that is there.
var errNotExecutable = fmt.Errorf("%w", unix.EACCES)

func unreadable(file string) bool {
	return unix.Faccessat(unix.AT_FDCWD, file, unix.R_OK, unix.AT_EACCESS) == unix.EACCES
}
