// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// end is one end of a cable, an interface of a veth pair.
type end struct {
	host *host
	name string
	up   bool
}

// layCable makes a veth pair and takes both ends up.
func (w *world) layCable(c conformance.Cable) error {
	a, b := w.hosts[c.HostA], w.hosts[c.HostB]
	err := a.batch(fmt.Sprintf("link add %s type veth peer name %s netns %s", c.InterfaceA, c.InterfaceB, b.namespace()))
	if err != nil {
		return err
	}
	w.ends = append(w.ends, &end{a, c.InterfaceA, true}, &end{b, c.InterfaceB, true})
	if err := a.batch(interfaceUp(c.InterfaceA)...); err != nil {
		return err
	}
	if err := b.batch(interfaceUp(c.InterfaceB)...); err != nil {
		return err
	}
	return w.settle()
}

// interfaceUp gives the interfaces of the default cable their addresses; others get theirs by steps of the case, but
// for a link-local one that the kernel makes up.
func interfaceUp(name string) []string {
	var lines []string
	for i, known := range []string{"a0", "b0"} {
		if name == known {
			lines = append(lines,
				"link set "+name+" addrgenmode none",
				fmt.Sprintf("address add 10.0.0.%d/24 broadcast + dev %s", i+1, name),
				fmt.Sprintf("address add fe80::%d/64 dev %s nodad", i+1, name),
				fmt.Sprintf("address add fd00::%d/64 dev %s nodad", i+1, name))
		}
	}
	return append(lines, "link set "+name+" up")
}

func (w *world) setInterface(a conformance.Interface) error {
	state := "down"
	if a.Up {
		state = "up"
	}
	if err := w.hosts[a.Host].run("ip", "link", "set", a.Name, state); err != nil {
		return err
	}
	for _, e := range w.ends {
		if e.host.name == a.Host && e.name == a.Name {
			e.up = a.Up
		}
	}
	return w.settle()
}

// settle waits until all ends have noticed whether there is a carrier: the kernel's linkwatch tells them later, at most
// once a second.
func (w *world) settle() error {
	limit := time.Now().Add(3 * time.Second)
	for i, e := range w.ends {
		if !e.up {
			continue
		}
		want := w.ends[i^1].up
		for {
			running, err := e.running()
			if err != nil {
				return err
			}
			if running == want {
				break
			}
			if time.Now().After(limit) {
				return fmt.Errorf("interface %s: carrier should be %v", e.name, want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// running asks for IFF_RUNNING, netdevice(7).
func (e *end) running() (running bool, err error) {
	err = e.host.do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		ifr, err := unix.NewIfreq(e.name)
		if err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
			return err
		}
		running = ifr.Uint16()&unix.IFF_RUNNING != 0
		return nil
	})
	return running, err
}
