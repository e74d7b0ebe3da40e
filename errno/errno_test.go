// SPDX-License-Identifier: Apache-2.0

package errno

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestErrnoIsSystems(t *testing.T) {
	for _, c := range []struct {
		ours Errno
		want syscall.Errno
	}{
		{ECONNREFUSED, syscall.ECONNREFUSED},
		{EINPROGRESS, syscall.EINPROGRESS},
		{EAGAIN, syscall.EAGAIN},
		{ELOOP, syscall.ELOOP},
	} {
		err := os.NewSyscallError("connect", c.ours.Err())
		if !errors.Is(err, c.want) {
			t.Errorf("%s.Err() = %v, want the system's %v", c.ours.Name(), err, c.want)
		}
	}
	if OK.Err() != nil {
		t.Error("no error must be a nil error")
	}
}

func TestNamedFindsEachName(t *testing.T) {
	for e, entry := range table {
		got, ok := Named(e.Name())
		if !ok || got != e {
			t.Errorf("Named(%q) = %v, %v; want %d", entry.name, got, ok, e)
		}
	}
	for _, alias := range []string{"EWOULDBLOCK", "ENOTSUP"} {
		if _, ok := Named(alias); !ok {
			t.Errorf("Named(%q) not found", alias)
		}
	}
	if _, ok := Named("ENOSUCH"); ok {
		t.Error("Named found an error that does not exist")
	}
}

func TestUnknownHasNumber(t *testing.T) {
	if got := Errno(999).Error(); got != "errno 999" {
		t.Errorf("Error() = %q", got)
	}
}
