// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A StartError says why a program was not started. Status is the exit status
// a shell would give: 127 not found, 126 not executable or not hostable, 125
// the supervisor itself failed.
type StartError struct {
	Status int
	Reason string
}

func (e *StartError) Error() string { return e.Reason }

// process is a started target, or one about to exec.
type process struct {
	keeper   int // pid
	control  int // to the keeper; see keeper.go
	start    int // to the shim; see shim.go
	listener listener
	shim     int  // pid; the target's after the exec
	labelled bool // the calls of labelCalls are reported
}

// startShim starts keeper and shim and takes the listener. The shim then
// waits for release.
func startShim(c *Program) (*process, error) {
	control, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(control[1])
	start, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		unix.Close(control[0])
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(start[1])
	p := &process{control: control[0], start: start[0], listener: listener{fd: -1}, labelled: c.labelled()}
	if p.keeper, err = forkKeeper(c, control[1], start[1], p.labelled); err != nil {
		unix.Close(p.control)
		unix.Close(p.start)
		return nil, err
	}
	if err := p.takeListener(); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// forkKeeper starts the keeper with the target's standard descriptors, the
// ones that we inherited ourselves at the same numbers, and after them its
// own two.
func forkKeeper(c *Program, control, start int, labelled bool) (pid int, err error) {
	files, err := inheritedFiles()
	if err != nil {
		return 0, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	for i, f := range []*os.File{c.Stdin, c.Stdout, c.Stderr} {
		if f == nil {
			f = null
		}
		conn, err := f.SyscallConn()
		if err != nil {
			return 0, err
		}
		if err := conn.Control(func(fd uintptr) { files[i] = fd }); err != nil {
			return 0, err
		}
		if leadsOut(int(files[i])) {
			files[i] = null.Fd()
		}
	}
	if err := roomAbove(len(files) - 1); err != nil {
		return 0, err
	}
	files = append(files, uintptr(control), uintptr(start))
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	argv := append([]string{
		keeperName, strconv.Itoa(len(files) - 2), strconv.Itoa(len(files) - 1), strconv.Itoa(unix.Getpgrp()),
		strconv.FormatBool(labelled),
	}, c.Argv...)
	pid, err = syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return 0, &StartError{Status: 125, Reason: fmt.Sprintf("start the keeper of %s: %v", c.Argv[0], err)}
	}
	return pid, nil
}

// takeListener fetches the listener out of the shim.
func (p *process) takeListener() error {
	r, err := p.readReport()
	if err != nil {
		return err
	}
	if r == nil {
		return &StartError{Status: 125, Reason: "the shim ended before it handed its listener over"}
	}
	p.shim = r.Pid
	pidfd, err := unix.PidfdOpen(r.Pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, r.Listener, 0)
	if errors.Is(err, unix.EPERM) {
		return errors.New("pidfd_getfd(2) is forbidden here (by a container's seccomp profile or by Yama), and without it no program can be hosted")
	}
	if err != nil {
		return fmt.Errorf("pidfd_getfd: %w", err)
	}
	p.listener = listener{fd: fd}
	return nil
}

// release lets the shim exec, and returns when it has.
func (p *process) release() error {
	if _, err := unix.Write(p.start, []byte{1}); err != nil {
		return fmt.Errorf("release the shim: %w", err)
	}
	r, err := p.readReport()
	if err == nil && r != nil {
		err = fmt.Errorf("the shim reports %+v out of turn", *r)
	}
	return err
}

// readReport reads one report; nil at end of file. A failure is an error.
func (p *process) readReport() (*shimReport, error) {
	buf := make([]byte, 8192)
	n, err := unix.Read(p.start, buf)
	for err == unix.EINTR {
		n, err = unix.Read(p.start, buf)
	}
	if err != nil {
		return nil, fmt.Errorf("hear from the shim: %w", err)
	}
	if n == 0 {
		return nil, nil
	}
	var r shimReport
	if err := json.Unmarshal(buf[:n], &r); err != nil {
		return nil, fmt.Errorf("hear from the shim: %w", err)
	}
	if r.Failure != "" {
		return nil, &StartError{Status: r.Status, Reason: r.Failure}
	}
	return &r, nil
}

// wait returns the target's wait status. An error means that the keeper is
// gone without a word, and the target with it.
func (p *process) wait() (unix.WaitStatus, error) {
	var b [4]byte
	for {
		n, err := unix.Read(p.control, b[:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("hear from the keeper: %w", err)
		case n != len(b):
			return 0, errors.New("the target's keeper was killed")
		default:
			return unix.WaitStatus(binary.NativeEndian.Uint32(b[:])), nil
		}
	}
}

// signal asks the keeper to signal the target.
func (p *process) signal(s unix.Signal) error {
	if _, err := unix.Write(p.control, []byte{byte(s)}); err != nil {
		return os.ErrProcessDone
	}
	return nil
}

// kill has the keeper kill every descendant of the target.
func (p *process) kill() { _ = unix.Shutdown(p.control, unix.SHUT_WR) } // ENOTCONN: the keeper is gone

// reapKeeper returns when the keeper, and thus every descendant, is gone.
func (p *process) reapKeeper() {
	for {
		if _, err := unix.Wait4(p.keeper, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

func (p *process) close() {
	unix.Close(p.control)
	unix.Close(p.start)
	if p.listener.fd >= 0 {
		unix.Close(p.listener.fd)
	}
}

// end kills everything and frees what belongs to it.
func (p *process) end() {
	p.kill()
	p.reapKeeper()
	p.close()
}
