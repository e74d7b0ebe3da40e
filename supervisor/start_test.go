// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// runHosted starts a program with the test binary's environment plus env, and
// returns what it wrote to stdout and its exit status.
func runHosted(t *testing.T, s *Supervisor, env []string, argv ...string) (string, int) {
	t.Helper()
	return hostedOutput(t, s, Program{Argv: argv, Env: append(os.Environ(), env...), Stderr: os.Stderr})
}

// hostedOutput runs a program, and returns what it wrote to stdout, and to
// stderr if that goes nowhere else, and its exit status.
func hostedOutput(t testing.TB, s *Supervisor, p Program) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p.Stdout = w
	if p.Stderr == nil {
		p.Stderr = w
	}
	target, err := s.Start(p)
	w.Close()
	if err != nil {
		t.Fatalf("start %q: %v", p.Argv, err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	status, err := target.Wait()
	if err != nil {
		t.Fatalf("%q: %v", p.Argv, err)
	}
	return string(out), status
}

// hostedSelf runs a role of the test binary, see TestMain.
func hostedSelf(t *testing.T, s *Supervisor, role string, args ...string) (string, int) {
	t.Helper()
	return runHosted(t, s, []string{roleVariable + "=" + role}, append([]string{selfPath(t)}, args...)...)
}

// runRole runs a role that is not hosted, and returns what it printed and its
// exit status.
func runRole(t *testing.T, role string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(selfPath(t), args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// startRole starts a role of the test binary, and returns what it prints.
func startRole(t *testing.T, role string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(selfPath(t))
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func selfPath(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newSupervisor makes one, or skips where the kernel lacks what it needs.
func newSupervisor(t *testing.T) *Supervisor {
	t.Helper()
	s, err := New(Options{Warn: func(text string) { t.Log("warning:", text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A passing supervisor lets the kernel do every call.
func passing(t *testing.T) *Supervisor {
	s := newSupervisor(t)
	s.serve = (*call).proceed
	return s
}

func TestExitStatus(t *testing.T) {
	s := passing(t)
	for _, c := range []struct {
		script string
		want   int
	}{
		{"exit 0", 0},
		{"exit 7", 7},
		{"kill -TERM $$", 128 + 15},
		{"kill -KILL $$", 128 + 9},
		{"kill -INT $$", 128 + 2},
		{"nosuchprogram", 127},
		{"sleep 1000 & exit 3", 3},
	} {
		if _, got := runHosted(t, s, nil, "sh", "-c", "exec 2>/dev/null; "+c.script); got != c.want {
			t.Errorf("%s: status %d, want %d", c.script, got, c.want)
		}
	}
}

// Whoever kills a program hears how it ended: the keeper tells that before it
// goes itself.
func TestKill(t *testing.T) {
	s := passing(t)
	for range 200 {
		target, err := s.Start(Program{Argv: []string{"sleep", "1000"}})
		if err != nil {
			t.Fatal(err)
		}
		target.Kill()
		if status, err := target.Wait(); status != 128+9 || err != nil {
			t.Fatalf("status %d, %v, want 137", status, err)
		}
	}
}

func TestStartFailures(t *testing.T) {
	s := passing(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, program string
		status        int
		errno         syscall.Errno
	}{
		{"not found along PATH", "no-such-program", 127, unix.ENOENT},
		{"no such file", dir + "/none", 127, unix.ENOENT},
		{"below a file", write("file", "x", 0o755) + "/x", 127, unix.ENOTDIR},
		{"directory", dir, 126, unix.EACCES},
		{"not executable", write("plain", "#!/bin/sh\n", 0o644), 126, unix.EACCES},
		{"empty name", "", 127, unix.ENOENT},
		{"interpreter missing", write("script", "#!/no/such/interpreter\n", 0o755), 127, unix.ENOENT},
	} {
		_, err := s.Start(Program{Argv: []string{c.program}})
		var start *StartError
		if !errors.As(err, &start) || start.Status != c.status {
			t.Errorf("%s: %v, want a StartError with status %d", c.name, err, c.status)
		} else if want := c.program + ": " + c.errno.Error(); start.Reason != want {
			t.Errorf("%s: %q, want %q", c.name, start.Reason, want)
		}
	}
	// execvp(3): a file that is no binary and has no #! is the shell's.
	if out, status := runHosted(t, s, nil, write("bare", "echo from $1\n", 0o755), "sh"); out != "from sh\n" || status != 0 {
		t.Errorf("bare script: %q, %d", out, status)
	}
}

// An execute-only program is shielded from its supervisor unless that is
// privileged: one line says so.
func TestExecuteOnlyProgramIsRefused(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	path := filepath.Join(t.TempDir(), "true")
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o111); err != nil {
		t.Fatal(err)
	}
	_, err = passing(t).Start(Program{Argv: []string{path}})
	var start *StartError
	if !errors.As(err, &start) || start.Status != 126 || !strings.Contains(start.Reason, "not readable") {
		t.Errorf("got %v", err)
	}
}

// The whole suite as an unprivileged user with an empty bounding set.
func TestAsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become nobody")
	}
	asNobodyRun(t, "^Test")
}

// asNobody runs the present test as nobody.
func asNobody(t *testing.T) { asNobodyRun(t, "^"+t.Name()+"$") }

func asNobodyRun(t *testing.T, pattern string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dialtone")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "supervisor.test")
	b, err := os.ReadFile(selfPath(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, b, 0o755); err != nil {
		t.Fatal(err)
	}
	limit := time.Duration(0) // none
	if deadline, ok := t.Deadline(); ok {
		limit = time.Until(deadline) * 9 / 10 // so that it is the one to say where it hangs
	}
	cmd := exec.Command(binary, "-test.run", pattern, "-test.skip", "^TestAsNobody$", "-test.count=1", "-test.timeout="+limit.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, roleVariable+"=nobody")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func TestNestedSupervisorIsRefused(t *testing.T) {
	out, status := hostedSelf(t, passing(t), "nested")
	if status != 125 || !strings.Contains(out, "supervisors don't nest") {
		t.Errorf("status %d, said %q", status, out)
	}
}

func TestUringIsAbsent(t *testing.T) {
	if out, _ := hostedSelf(t, passing(t), "uring"); out != unix.ENOSYS.Error() {
		t.Errorf("io_uring_setup: %q, want ENOSYS", out)
	}
}

// A target inherits open files at their numbers, but no inet socket.
func TestInheritedDescriptors(t *testing.T) {
	inet, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	inetFile := os.NewFile(uintptr(inet), "inet")
	defer inetFile.Close()
	local, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(local)
	out, _ := runHosted(t, passing(t), nil, "sh", "-c", fmt.Sprintf(
		"for fd in %d %d; do if [ -e /proc/$$/fd/$fd ]; then echo open; else echo closed; fi; done", inet, local))
	if out != "closed\nopen\n" {
		t.Errorf("inet and AF_UNIX descriptors are %q", out)
	}
	// A standard descriptor cannot be missing: it becomes /dev/null.
	target, err := passing(t).Start(Program{Argv: []string{"sh", "-c", "[ $(readlink /proc/self/fd/0) = /dev/null ]"}, Stdin: inetFile})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := target.Wait(); status != 0 {
		t.Error("an inet socket as stdin was passed on")
	}
}

// What a program inherits from its parent through exec comes through.
func TestInheritedAttributes(t *testing.T) {
	read := func(out string) string {
		var keep []string
		for line := range strings.Lines(out) {
			switch name, _, _ := strings.Cut(line, ":"); name {
			case "SigBlk", "SigIgn", "SigCgt", "Umask":
				keep = append(keep, line)
			}
			if strings.HasPrefix(line, "Max open files") || strings.HasPrefix(line, "Max core") {
				keep = append(keep, line)
			}
		}
		return strings.Join(keep, "")
	}
	run := func(role string) string {
		cmd := exec.Command(selfPath(t))
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		return read(string(out))
	}
	direct, under := run("attributes"), run("attributes-hosted")
	if direct != under {
		t.Errorf("directly:\n%sunder the supervisor:\n%s", direct, under)
	}
	if !strings.Contains(direct, "SigBlk:\t0000000000000200") || !strings.Contains(direct, "SigIgn:\t0000000000000003") {
		t.Errorf("the test did not set up what it compares:\n%s", direct)
	}
}

// Killing the supervisor leaves no process behind, daemons included.
func TestSupervisorKilled(t *testing.T) {
	cmd, out := startRole(t, "daemons")
	pids := readPids(t, out, 3)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	awaitGone(t, pids)
}

// Killing the target ends its daemons and every goroutine and descriptor.
func TestTargetKilled(t *testing.T) {
	s := passing(t)
	before := countFDs(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	target, err := s.Start(Program{Argv: []string{"sh", "-c", daemonScript}, Stdout: w, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	pids := readPids(t, r, 3)
	if err := target.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status, err := target.Wait(); status != 128+9 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	r.Close()
	for _, pid := range pids {
		if err := unix.Kill(pid, 0); err != unix.ESRCH {
			t.Errorf("process %d is still there when Wait has returned: %v", pid, err)
		}
	}
	if after := countFDs(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// daemonScript starts a child, a grandchild in a session of its own, and
// prints their pids and its own.
const daemonScript = `
sleep 1000 & echo $!
setsid sh -c 'sleep 1000 & echo $!'
echo $$
wait`

func readPids(t *testing.T, r io.Reader, n int) []int {
	t.Helper()
	var pids []int
	for len(pids) < n {
		var pid int
		if _, err := fmt.Fscan(r, &pid); err != nil {
			t.Fatalf("after %d pids: %v", len(pids), err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// awaitGone waits on pidfds, so that a process that lives fails the test by
// its deadline alone.
func awaitGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err == unix.ESRCH {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		unix.Close(fd)
		if n != 1 {
			t.Errorf("process %d lives on: %v", pid, err)
		}
	}
}

func countFDs(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// A signal sent to the supervisor reaches the program, which decides.
func TestSignalsAreForwarded(t *testing.T) {
	cmd, out := startRole(t, "trap")
	var word string
	if _, err := fmt.Fscan(out, &word); err != nil || word != "ready" {
		t.Fatalf("the program says %q, %v", word, err)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status is looked at
	if got := strings.TrimSpace(string(rest)); got != "caught" || cmd.ProcessState.ExitCode() != 9 {
		t.Errorf("said %q, status %d; want \"caught\" and 9", got, cmd.ProcessState.ExitCode())
	}
}

// The target is in the foreground group of the terminal it runs on, and what
// Ctrl-C sends ends it as if run directly.
func TestTerminal(t *testing.T) {
	master, tty := openPTY(t)
	defer master.Close()
	cmd := exec.Command(selfPath(t))
	cmd.Env = append(os.Environ(), roleVariable+"=terminal")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var seen bytes.Buffer
	buf := make([]byte, 256)
	sent := false
	for {
		n, err := master.Read(buf)
		seen.Write(buf[:n])
		if !sent && bytes.ContainsRune(seen.Bytes(), '\n') {
			sent = true
			// proc_pid_stat(5): pid (name) state parent group session tty foreground-group
			var group, foreground int
			var skip string
			if _, err := fmt.Sscan(seen.String(), &skip, &skip, &skip, &skip, &group, &skip, &skip, &foreground); err != nil || group != foreground {
				t.Errorf("not in the foreground: %q, %v", seen.String(), err)
			}
			if _, err := master.Write([]byte{3}); err != nil { // Ctrl-C
				t.Fatal(err)
			}
		}
		if err != nil {
			break // EIO: the last user of the terminal is gone
		}
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 128+2 || !sent {
		t.Errorf("exit status %d, terminal showed %q", got, seen.String())
	}
}

func openPTY(t *testing.T) (master, tty *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "ptmx"), tty
}
