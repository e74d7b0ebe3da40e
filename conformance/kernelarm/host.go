// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// host is a network namespace and a mount namespace, held by one thread of this program.
type host struct {
	name    string
	root    string // where its files are mounted, in its mount namespace
	tid     int
	jobs    chan func()
	capture *capture // nil unless the case looks at packets
}

// onOwnThread runs f on a thread that is thrown away afterwards, so that f may change the thread's namespaces.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- f()
	}()
	return <-done
}

// newHost makes the namespaces. A host with the tree of another one shares its mount namespace.
func newHost(name, root string, tree *host, loDown bool) (*host, error) {
	h := &host{name: name, root: root, jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		ready <- h.enter(tree)
		for job := range h.jobs {
			job()
		}
	}()
	err := <-ready
	if err == nil && !loDown {
		err = h.run("ip", "link", "set", "lo", "up")
	}
	if err != nil {
		h.close()
		return nil, fmt.Errorf("host %s: %w", name, err)
	}
	return h, nil
}

func (h *host) enter(tree *host) error {
	h.tid = unix.Gettid()
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if tree != nil {
		return enterMounts(tree)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount --make-rprivate: %w", err)
	}
	if err := unix.Mount("tmpfs", h.root, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	proc := filepath.Join(h.root, "proc")
	if err := os.Mkdir(proc, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", proc, "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	// Addresses are usable at once: no duplicate address detection. Link-local ones are given by hand.
	for _, file := range []string{"default/accept_dad", "all/accept_dad", "default/router_solicitations"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+file, []byte("0"), 0); err != nil {
			return err
		}
	}
	return nil
}

func enterMounts(tree *host) error {
	fd, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/mnt", tree.tid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, unix.CLONE_NEWNS)
}

// close ends the thread; the namespaces go when nobody is in them any more.
func (h *host) close() {
	close(h.jobs)
	if h.capture != nil {
		h.capture.close()
	}
}

// do runs f in the host's namespaces.
func (h *host) do(f func() error) error {
	done := make(chan error)
	h.jobs <- func() { done <- f() }
	return <-done
}

// namespace is the path of the network namespace, for programs that take one.
func (h *host) namespace() string { return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), h.tid) }

// run runs a program in the host's namespaces: children are in those of the thread that starts them.
func (h *host) run(program string, args ...string) error {
	return h.do(func() error { return command(program, args...) })
}

func command(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, out)
	}
	return nil
}

// batch runs commands of ip(8), one per line.
func (h *host) batch(lines ...string) error {
	return h.do(func() error {
		cmd := exec.Command("ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip -batch: %w: %s", err, out)
		}
		return nil
	})
}

// path is where the host's file is in its mount namespace.
func (h *host) path(name string) string { return filepath.Join(h.root, name) }
