// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"dialtone"

	"golang.org/x/sys/unix"
)

// roleVariable makes the test binary another program: most targets of these
// tests are roles of it, so that they need nothing installed.
const roleVariable = "DIALTONE_TEST_ROLE"

// roles by name; each returns the exit status.
var roles = map[string]func() int{
	"nested":            roleNested,
	"sendsfirst":        roleSendsFirst,
	"uring":             roleUring,
	"attributes":        func() int { return roleAttributes("cat", "/proc/self/status", "/proc/self/limits") },
	"attributes-hosted": func() int { return roleAttributes(os.Args[0]) },
	"host":              roleHost,
	"daemons":           roleDaemons,
	"terminal":          roleTerminal,
	"sockets":           roleSockets,
	"flags":             roleFlags,
	"emfile":            roleEmfile,
	"replace":           roleReplace,
	"connect":           roleConnect,
	"threads":           roleThreads,
	"dumpable":          roleDumpable,
	"memory":            roleMemory,
	"go":                roleGo,
	"echoserver":        roleEchoServer,
	"crashlistener":     roleCrashListener,
	"intruder":          roleIntruder,
	"echoclient":        roleEchoClient,
	"closed":            roleClosed,
	"closeunread":       roleCloseUnread,
	"trap":              roleTrap,
	"full":              roleFull,
	"unread":            roleUnread,
	"lacking":           roleLacking,
	"near":              roleNear,
	"accepts":           roleAccepts,
	"few":               roleFew,
	"manythreads":       roleManyThreads,
	"sockdiag":          roleSockDiag,
	"server":            roleServer,
	"client":            roleClient,
	"unix":              roleUnix,
	"sources":           roleSources,
	"storm":             roleStorm,
	"leftovers":         roleLeftovers,
	"crowd":             roleCrowd,
	"backlog":           roleBacklog,
	"halfclose":         roleHalfClose,
	"reset":             roleReset,
	"passed":            rolePassed,
	"errors":            roleErrors,
	"explained":         roleExplained,
	"secondattempt":     roleSecondAttempt,
	"says":              roleSays,
	"closedquietly":     roleClosedQuietly,
	"talks":             roleTalks,
	"ping":              rolePing,
	"pingforbidden":     rolePingForbidden,
	"receivebuffer":     roleReceiveBuffer,
	"greedy":            roleGreedy,
	"random":            roleRandom,
}

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	os.Unsetenv(roleVariable)
	if name == "nobody" {
		becomeNobody()
		name = ""
	}
	if name != "" {
		os.Exit(roles[name]())
	}
	// Under the race detector each process sleeps a second at its end.
	must(os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")))
	os.Exit(m.Run())
}

// argument is the nth argument of a role.
func argument(n int) string { return os.Args[n] }

func lockThread() { runtime.LockOSThread() }

// watchSignal installs a handler, which restarts calls as all of Go's do.
func watchSignal(s os.Signal) { signal.Notify(make(chan os.Signal, 1), s) }

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// becomeNobody drops every capability for good, and then root, for the thread
// that execs.
func becomeNobody() {
	const nobody = 65534
	runtime.LockOSThread()
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		must(unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0))
	}
	for _, call := range [][4]uintptr{
		{unix.SYS_SETGROUPS, 0, 0, 0},
		{unix.SYS_SETRESGID, nobody, nobody, nobody},
		{unix.SYS_SETRESUID, nobody, nobody, nobody},
	} {
		if _, _, e := unix.RawSyscall(call[0], call[1], call[2], call[3]); e != 0 {
			panic(e)
		}
	}
	// Changing users makes a process undumpable; exec makes it dumpable.
	must(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// runProgram hosts argv with every call left to the kernel.
func runProgram(argv ...string) int {
	s, err := New(Options{})
	must(err)
	s.serve = (*call).proceed
	status, err := s.Run(context.Background(), Program{Argv: argv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		fmt.Println(err)
	}
	return status
}

// hostAccepts hosts the role "accepts" on a host of its own.
func hostAccepts() int { return hostRole("accepts") }

func hostRole(role string) int {
	s, err := New(Options{})
	if err != nil {
		fmt.Println(err)
		return 125
	}
	defer s.Close()
	must(os.Setenv(roleVariable, role))
	status, err := s.Run(context.Background(), Program{
		Argv: []string{"/proc/self/exe"}, Stdout: os.Stdout, Stderr: os.Stderr,
		Stack: dialtone.NewNetwork().Host("here.test").Stack(),
	})
	if err != nil {
		fmt.Println(err)
	}
	return status
}

func roleNested() int { return runProgram("true") }

func roleHost() int { return runProgram("cat", "/proc/self/status", "/proc/self/limits") }

func roleDaemons() int { return runProgram("sh", "-c", daemonScript) }

func roleTrap() int {
	return runProgram("sh", "-c", "trap 'echo caught; exit 9' TERM; sleep 1000 & echo ready; wait")
}

func roleTerminal() int {
	// A test run in the background inherits SIGINT ignored; catching it once
	// gives children the default again.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT)
	// A shell would do, but dash loses a SIGINT that arrives as it forks.
	return runProgram("cat", "/proc/self/stat", "-")
}

func roleUring() int {
	_, _, e := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
	fmt.Print(e.Error())
	return 0
}

// roleAttributes execs argv, or the role "host", with a signal blocked, two
// ignored, a umask and limits set.
func roleAttributes(argv ...string) int {
	runtime.LockOSThread()
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 321, Max: 654}))
	must(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: 0}))
	unix.Umask(0o27)
	var set unix.Sigset_t
	set.Val[0] = 1 << (unix.SIGUSR1 - 1)
	must(unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil))
	signal.Ignore(unix.SIGHUP, unix.SIGINT)
	if len(argv) == 1 {
		must(os.Setenv(roleVariable, "host"))
		return int(syscall.Exec("/proc/self/exe", argv, os.Environ()).(syscall.Errno))
	}
	return int(syscall.Exec("/bin/"+argv[0], argv, os.Environ()).(syscall.Errno))
}
