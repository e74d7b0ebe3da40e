// SPDX-License-Identifier: Apache-2.0

// Dialtone runs programs on a network in memory: their connect(2) and the other socket calls are served in this process.
//
// Each verb has its file. The exit status of run and up is the program's; what dialtone itself has to say goes to stderr,
// behind "dialtone: ".
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"dialtone/scenario"
)

// verbs are dialtone's.
type verbs struct {
	Run     runVerb     `cmd:"" help:"Run a program on a host of a network."`
	Up      upVerb      `cmd:"" help:"Start all programs of a scenario file, each on its host."`
	Conform conformVerb `cmd:"" help:"Put connect(2) cases to dialtone's sockets, and to the running kernel."`
	Policy  policyVerb  `cmd:"" help:"Ask a security policy who may do what, and why."`
	Version versionVerb `cmd:"" help:"Print dialtone's version."`
}

// exitFailure is the exit status when dialtone itself fails, whatever the reason: as with env(1) and timeout(1), it is one
// that few programs use.
const exitFailure = 125

// ended is what a verb returns that ran programs: their exit status, and what went wrong besides.
func ended(status int, err error) error {
	switch {
	case err == nil && status == 0:
		return nil
	case status == 0:
		status = exitFailure
	}
	return exitStatus{status, err}
}

// exitStatus is the error of a verb whose exit status has been decided. If it wraps an error, that is printed.
type exitStatus struct {
	status int
	err    error
}

func (e exitStatus) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func main() {
	serveKernelArm()
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command does what args say and returns the exit status.
func command(args []string, stdout, stderr io.Writer) int {
	exited := -1
	parser, err := kong.New(&verbs{},
		kong.Name("dialtone"),
		kong.Description("connect(2), all of it, in user space: programs on a network in memory."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exited = status }), // after --help
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the verbs are wrong: any test sees it
	}
	ctx, err := parser.Parse(args)
	switch {
	case exited >= 0:
		return exited
	case err != nil:
		complain(stderr, withCommands(err))
		fmt.Fprintln(stderr, "dialtone: see dialtone --help")
		return exitFailure
	}
	err = ctx.Run(&output{stdout, stderr})
	var exit exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			complain(stderr, exit.err)
		}
		return exit.status
	default:
		complain(stderr, err)
		return exitFailure
	}
}

// withCommands adds to an error of the parser's about an unknown command which ones there are, if it names none.
func withCommands(err error) error {
	var parse *kong.ParseError
	if s := err.Error(); !errors.As(err, &parse) || !strings.HasPrefix(s, "unexpected argument") || strings.Contains(s, "did you mean") {
		return err
	}
	at := parse.Context.Selected()
	if at == nil {
		at = parse.Context.Model.Node
	}
	var names []string
	for _, child := range at.Children {
		names = append(names, strconv.Quote(child.Name))
	}
	if len(names) == 0 {
		return err // a command that takes no argument
	}
	return fmt.Errorf("%w, expected one of %s", err, strings.Join(names, ", "))
}

// output is where the verbs write.
type output struct{ stdout, stderr io.Writer }

// complain prints err; the mistakes of a scenario file one a line, beginning with the file's name so that editors find it.
func complain(w io.Writer, err error) {
	var mistakes scenario.Mistakes
	if errors.As(err, &mistakes) {
		fmt.Fprintln(w, mistakes)
		return
	}
	fmt.Fprintln(w, "dialtone:", strings.TrimPrefix(err.Error(), "dialtone: "))
}
