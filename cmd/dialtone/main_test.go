// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs are what this test binary can also be: dialtone itself, and small ones for it to host.
var programs = map[string]func(){
	"dialtone": main,
	"dial":     dialProgram,
	"give-up":  giveUpProgram,
	"get":      getProgram,
	"serve":    serveProgram,
	"kill-me":  killProgram,
	"linger":   lingerProgram,
	// The binary may lie where nobody can't go; then /proc/self/exe still leads to it.
	"exe": dialProgram,
}

func TestMain(m *testing.M) { testscript.Main(m, programs) }

// dialProgram connects: dial NETWORK ADDRESS.
func dialProgram() {
	c, err := net.Dial(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("connected to", c.RemoteAddr())
	os.Exit(0)
}

// giveUpProgram connects, and gives up after a while: give-up NETWORK ADDRESS.
func giveUpProgram() {
	_, err := net.DialTimeout(os.Args[1], os.Args[2], 1500*time.Millisecond)
	fmt.Println(err)
}

// getProgram prints a page: get URL. It tries for a while if nobody listens yet.
func getProgram() {
	var r *http.Response
	var err error
	for giveUp := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		r, err = http.Get(os.Args[1])
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(giveUp) {
			break
		}
	}
	if err == nil {
		_, err = io.Copy(os.Stdout, r.Body)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// serveProgram serves a page on port 80 until SIGTERM: serve PAGE.
func serveProgram() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		fmt.Println("stopped")
		os.Exit(0)
	}()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Args[1]) })
	fmt.Println(http.ListenAndServe(":80", handler))
	os.Exit(1)
}

// killProgram dies of a signal: kill-me NUMBER.
func killProgram() {
	number, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = syscall.Kill(os.Getpid(), syscall.Signal(number))
	}
	fmt.Println("still here:", err)
	select {}
}

// lingerProgram tells that it runs, and waits for ever for a signal it does not catch: linger [FILE], which it then makes.
func lingerProgram() {
	fmt.Println("lingering")
	if len(os.Args) > 1 {
		if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	select {}
}

// TestScripts runs those that host no program.
func TestScripts(t *testing.T) { runScripts(t, "script") }

func runScripts(t *testing.T, directory string) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", directory),
		Setup: func(env *testscript.Env) error {
			include, err := filepath.Abs("../../include")
			env.Setenv("INCLUDE", include)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status":    statusCommand,
			"interrupt": interruptCommand,
		},
		RequireExplicitExec: true,
	})
}

// statusCommand runs a command and checks its exit status: status N COMMAND ARG...
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command arg...")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

// interruptCommand runs a command and sends it a signal once a file exists: interrupt SIGNAL FILE STATUS COMMAND ARG... It
// must end with the exit status.
func interruptCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupt signal file status command arg...")
	}
	path, err := lookPath(ts, args[3])
	ts.Check(err)
	command := exec.Command(path, args[4:]...)
	command.Dir = ts.MkAbs(".")
	command.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "WORK="+ts.Getenv("WORK"))
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	// Its own group: the signal is for it alone, as from kill(1).
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ts.Check(command.Start())
	number, err := strconv.Atoi(args[0])
	ts.Check(err)
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
			break
		}
		if time.Now().After(deadline) {
			command.Process.Kill()
			ts.Fatalf("%s did not come to be\n%s%s", args[1], stdout.String(), stderr.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Check(command.Process.Signal(syscall.Signal(number)))
	command.Wait() // its status is looked at below
	if got := strconv.Itoa(command.ProcessState.ExitCode()); got != args[2] {
		ts.Fatalf("exit status %s, want %s\n%s%s", got, args[2], stdout.String(), stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("interrupted.out"), stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("interrupted.err"), stderr.Bytes(), 0o600))
}

func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, directory := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(directory, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", name, ts.Getenv("PATH"))
}
