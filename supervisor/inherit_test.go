// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nearLimit is the limit on descriptors, soft and hard, of roleNear.
const nearLimit = 64

// A program is started with all descriptors in their places as long as there is
// room above them; where there is none, it is said which one is in the way.
func TestDescriptorNearTheLimit(t *testing.T) {
	for fd := nearLimit - aboveInherited - 3; fd < nearLimit; fd++ {
		out, status := runRole(t, "near", strconv.Itoa(fd))
		want, wantStatus := "done\n", 0
		if fd+aboveInherited >= nearLimit {
			want, wantStatus = "descriptor "+strconv.Itoa(fd)+" is open, and 6 numbers above it are needed, but the limit is 64", 125
		}
		if !strings.HasPrefix(out, want) || status != wantStatus {
			t.Errorf("descriptor %d: status %d, %q", fd, status, out)
		}
	}
}

// roleNear hosts the role "accepts" with an inherited descriptor at a number.
func roleNear() int {
	fd, err := strconv.Atoi(argument(1))
	must(err)
	// What the test itself has inherited is out of the question.
	must(unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: nearLimit, Max: nearLimit}))
	must(unix.Dup3(0, fd, 0))
	return hostAccepts()
}
