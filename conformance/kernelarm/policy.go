// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// group is a control group with the processes of one host.
type group struct {
	hierarchy int // descriptor of the cgroup2 file system, mounted nowhere
	name      string
}

// denyConnect puts the processes of a host into a control group whose program at connect4 or connect6 answers no,
// which is EPERM for the caller.
func (w *world) denyConnect(a conformance.DenyConnect) error {
	g, err := w.groupOf(a.Host)
	if err != nil {
		return conformance.NotRun("no control group for a BPF program: %v", err)
	}
	hook := unix.BPF_CGROUP_INET4_CONNECT
	if a.Family == "INET6" {
		hook = unix.BPF_CGROUP_INET6_CONNECT
	}
	program, err := loadDeny(hook)
	if err != nil {
		return conformance.NotRun("no BPF program at connect(2): %v", err)
	}
	defer unix.Close(program)
	dir, err := unix.Openat(g.hierarchy, g.name, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	attr := struct{ target, program, hook, flags uint32 }{uint32(dir), uint32(program), uint32(hook), 0}
	_, e := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if e != 0 {
		return fmt.Errorf("attaching a BPF program: %w", e)
	}
	return nil
}

// groupOf makes the control group of a host when it is first needed.
func (w *world) groupOf(host string) (*group, error) {
	if g := w.groups[host]; g != nil {
		return g, nil
	}
	hierarchy, err := mountGroups()
	if err != nil {
		return nil, err
	}
	g := &group{hierarchy, filepath.Base(w.arm.root) + "-" + w.c.ID + "-" + host}
	if err := unix.Mkdirat(hierarchy, g.name, 0o755); err != nil {
		unix.Close(hierarchy)
		return nil, err
	}
	w.groups[host] = g
	for _, p := range w.c.Processes {
		if p.Host != host {
			continue
		}
		pid := w.processes[p.Name].cmd.Process.Pid
		if err := g.add(pid); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func mountGroups() (int, error) {
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

func (g *group) add(pid int) error {
	fd, err := unix.Openat(g.hierarchy, g.name+"/cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "cgroup.procs")
	defer f.Close()
	_, err = f.WriteString(strconv.Itoa(pid))
	return err
}

// remove takes the group away; its processes must have ended.
func (g *group) remove() error {
	defer unix.Close(g.hierarchy)
	return unix.Unlinkat(g.hierarchy, g.name, unix.AT_REMOVEDIR)
}

// loadDeny loads the program "return 0", bpf(2).
func loadDeny(hook int) (int, error) {
	program := []uint64{
		0x00000000000000b7, // r0 = 0
		0x0000000000000095, // exit
	}
	license := []byte("Apache-2.0\x00")
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(&program[0])
	pinned.Pin(&license[0])
	attr := struct { // the part of union bpf_attr for BPF_PROG_LOAD that matters
		kind, count                   uint32
		instructions, license         uint64
		logLevel, logSize             uint32
		log                           uint64
		kernel, flags                 uint32
		name                          [16]byte
		ifindex, expectedAttachToHook uint32
	}{
		kind: unix.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, count: uint32(len(program)),
		instructions: uint64(uintptr(unsafe.Pointer(&program[0]))), license: uint64(uintptr(unsafe.Pointer(&license[0]))),
		expectedAttachToHook: uint32(hook),
	}
	fd, e := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if e != 0 {
		return -1, e
	}
	return fd, nil
}

func bpf(command int, attr unsafe.Pointer, size uintptr) (int, unix.Errno) {
	r, _, e := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(attr), size)
	return int(r), e
}
