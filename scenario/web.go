// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// webHandler returns what an http service serves: page at /, N bytes at /bytes/N, and at /delay/DURATION an answer after
// that time.
func webHandler(page string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		send(w, page)
	})
	mux.HandleFunc("GET /bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseUint(r.PathValue("n"), 10, 63)
		if err != nil {
			http.Error(w, fmt.Sprintf("%q is no number of bytes, expected one such as /bytes/1000", r.PathValue("n")), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatUint(n, 10))
		// An error is a client that went away.
		_, _ = io.CopyN(w, new(alphabet), int64(n))
	})
	mux.HandleFunc("GET /delay/{duration}", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.PathValue("duration"))
		if err != nil || d < 0 {
			http.Error(w, fmt.Sprintf("%q is no time, expected one such as /delay/1.5s", r.PathValue("duration")), http.StatusBadRequest)
			return
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			send(w, fmt.Sprintf("waited %v\n", d))
		case <-r.Context().Done():
		}
	})
	return mux
}

// send answers with text. An error is a client that went away.
func send(w http.ResponseWriter, text string) { _, _ = io.WriteString(w, text) }

// letters is what alphabet repeats: whole lines, many at once so that copying them is quick.
var letters = strings.Repeat("abcdefghijklmnopqrstuvwxyz\n", 1024)

// alphabet is an endless reader: the letters from a to z in lines, over and over.
type alphabet struct{ next int }

// Read fills b.
func (a *alphabet) Read(b []byte) (n int, err error) {
	for n < len(b) {
		copied := copy(b[n:], letters[a.next:])
		a.next = (a.next + copied) % len(letters)
		n += copied
	}
	return n, nil
}
