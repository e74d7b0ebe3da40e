// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// lines prints what programs write, each line whole and behind the name of the program's host.
type lines struct {
	width   int // of the longest name
	out     *output
	reading sync.WaitGroup
	mu      sync.Mutex // held while a line is written: both outputs may be one terminal
}

// pipes returns the write ends of a program's standard output and error, for the caller to close.
func (l *lines) pipes(host string) (stdout, stderr *os.File, err error) {
	if stdout, err = l.pipe(host, l.out.stdout); err != nil {
		return nil, nil, err
	}
	if stderr, err = l.pipe(host, l.out.stderr); err != nil {
		return nil, nil, errors.Join(err, stdout.Close())
	}
	return stdout, stderr, nil
}

func (l *lines) pipe(host string, to io.Writer) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.reading.Go(func() {
		defer r.Close()
		l.copy(to, fmt.Sprintf("%-*s | ", l.width, host), r)
	})
	return w, nil
}

// longestLine is how much of a line is kept until its end comes, in bytes; a longer one is printed as several.
const longestLine = 64 << 10

// copy prints what comes from r line by line, each behind prefix, until r ends.
func (l *lines) copy(to io.Writer, prefix string, r io.Reader) {
	in := bufio.NewReaderSize(r, longestLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			l.print(to, prefix, line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return // the end: all writers have closed the pipe
		}
	}
}

func (l *lines) print(to io.Writer, prefix string, line []byte) {
	end := ""
	if line[len(line)-1] != '\n' {
		end = "\n"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Where nobody reads any more there is nobody to tell.
	_, _ = fmt.Fprintf(to, "%s%s%s", prefix, line, end)
}

// say prints a line of our own.
func (l *lines) say(text string) { l.print(l.out.stderr, "dialtone: ", []byte(text)) }

// wait returns when all pipes have been closed by those who write, and everything has been printed.
func (l *lines) wait() { l.reading.Wait() }
