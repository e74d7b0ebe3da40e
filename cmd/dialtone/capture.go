// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"dialtone"
	"dialtone/capture"
)

// recorder writes the packets of a network to a file. If the file takes no more, that is told at once, and the programs run
// on. Its Close may be called on nil.
type recorder struct {
	file    *os.File
	capture *capture.Capture
	stderr  io.Writer

	mu      sync.Mutex // a leaf: taken with a host's lock held
	size    int64      // of the file, up to the last whole block
	running bool       // the programs may have started
	err     error      // what ended the capture
}

// openRecorder makes the file; nil if path is empty.
func openRecorder(path string, stderr io.Writer) (*recorder, error) {
	switch path {
	case "":
		return nil, nil
	case "-":
		return nil, errors.New("--capture -: standard output is the program's; name a file, or a pipe as in >(wireshark -k -i -)")
	}
	// Not for reading, too: a pipe would then have a reader in us.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--capture: %w", err)
	}
	return &recorder{file: file, stderr: stderr}, nil
}

// start begins the capture, or says why it can't.
func (r *recorder) start(n *dialtone.Network) (err error) {
	if r == nil {
		return nil
	}
	if r.capture, err = capture.Start(r, n); err != nil {
		return fmt.Errorf("--%w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = true
	return r.err
}

// Write writes a block.
func (r *recorder) Write(block []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.file.Write(block)
	if err == nil {
		r.size += int64(n)
		return n, nil
	}
	r.err = err
	// A part of a block would be a mistake in the file. What can't be cut, a pipe, ends in the middle of it.
	_ = r.file.Truncate(r.size)
	if r.running {
		complain(r.stderr, fmt.Errorf("--capture: %w; the programs run on", err))
	}
	return n, err
}

// Close ends the capture.
func (r *recorder) Close() error {
	if r == nil {
		return nil
	}
	var err error
	if r.capture != nil && r.capture.Close() != nil { // why has been told
		err = fmt.Errorf("the capture in %s is not complete", r.file.Name())
	}
	return errors.Join(err, r.file.Close())
}
