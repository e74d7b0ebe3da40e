// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Run starts a program in the foreground and returns its exit status, as if
// it had been run directly: 128+n when signal n killed it, 127 when it was not
// found, 126 when it cannot be executed, 125 when it cannot be hosted; the
// last three with an error that says why. Signals sent to the supervisor go to
// the program. Cancelling ctx kills it.
func (s *Supervisor) Run(ctx context.Context, p Program) (int, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded()...)
	defer signal.Stop(signals)
	t, err := s.Start(p)
	var start *StartError
	if errors.As(err, &start) {
		return start.Status, err
	}
	if err != nil {
		return 125, err
	}
	for {
		select {
		case <-t.Done():
			return t.Wait()
		case sig := <-signals:
			if sent := sig.(syscall.Signal); !fromTerminal(sent) {
				_ = t.Signal(sent) // os.ErrProcessDone: Done follows
			}
		case <-ctx.Done():
			t.Kill()
			<-t.Done()
			return t.Wait()
		}
	}
}

// forwarded lists the signals that somebody may send to a program, less those
// that were ignored when we started: they stay ignored in the program too.
func forwarded() []os.Signal {
	var list []os.Signal
	for _, s := range []os.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM,
	} {
		if !signal.Ignored(s) {
			list = append(list, s)
		}
	}
	return list
}

// fromTerminal reports whether the terminal most likely sent the signal: it
// sends to the whole foreground group, so the program has got it already.
func fromTerminal(s syscall.Signal) bool {
	if s != unix.SIGINT && s != unix.SIGQUIT {
		return false
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false // no terminal
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
