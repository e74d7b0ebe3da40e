// SPDX-License-Identifier: Apache-2.0

package link

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openDevice opens a TUN device for packets without more around them, and returns its MTU in bytes. It sees to it that
// the device has the addresses and is up.
func openDevice(name string, addresses []netip.Prefix) (_ io.ReadWriteCloser, mtu int, err error) {
	request, err := unix.NewIfreq(name)
	if err != nil || name == "" {
		return nil, 0, fmt.Errorf("%q is no name of an interface, expected 1 to %d letters such as tun0", name, unix.IFNAMSIZ-1)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	switch err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request); {
	case errors.Is(err, unix.EPERM):
		return nil, 0, fmt.Errorf("only root may make it or open another's (%w); root makes one for you by: ip tuntap add %s mode tun user %d", err, name, os.Getuid())
	case errors.Is(err, unix.EBUSY):
		return nil, 0, fmt.Errorf("another program has it open (%w)", err)
	case errors.Is(err, unix.EINVAL):
		return nil, 0, fmt.Errorf("an interface of that name exists and is no TUN device (%w)", err)
	case err != nil:
		return nil, 0, os.NewSyscallError("ioctl TUNSETIFF", err)
	}
	if err = setUp(name, addresses); err != nil {
		return nil, 0, err
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, 0, err
	}
	file := os.NewFile(uintptr(fd), "/dev/net/tun") // now: the runtime's poller takes only a device that is attached
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, 0, err
	}
	return &device{file, raw}, i.MTU, nil
}

// device is a TUN device.
type device struct {
	*os.File
	raw syscall.RawConn
}

// Write gives a packet to the kernel. It never waits: a host that has something to send must not.
func (d *device) Write(b []byte) (n int, err error) {
	if e := d.raw.Write(func(fd uintptr) bool {
		n, err = unix.Write(int(fd), b)
		return true
	}); e != nil {
		return 0, e
	}
	return n, err
}

// setUp gives an interface the addresses that it lacks, and takes it up.
func setUp(name string, addresses []netip.Prefix) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	have, err := i.Addrs()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, a := range have {
		there[a.String()] = true
	}
	for _, a := range addresses {
		if there[a.String()] {
			continue
		}
		there[a.String()] = true
		if err := addAddress(i.Index, a); err != nil {
			return fmt.Errorf("it lacks the address %v, and that can't be changed (%w); root does by: ip addr add %v dev %s", a, err, a, name)
		}
	}
	if i.Flags&net.FlagUp == 0 {
		if err := takeUp(name); err != nil {
			return fmt.Errorf("it is down, and that can't be changed (%w); root does by: ip link set %s up", err, name)
		}
	}
	return nil
}

// takeUp sets IFF_UP (netdevice(7)).
func takeUp(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return os.NewSyscallError("ioctl SIOCGIFFLAGS", err)
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return os.NewSyscallError("ioctl SIOCSIFFLAGS", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request))
}
