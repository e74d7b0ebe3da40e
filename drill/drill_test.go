// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var scripts = flag.String("scripts", "testdata", "run the packetdrill scripts below this directory, too, and log how each went")

// run runs a script of a file.
func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	s, err := Parse(string(text))
	if err != nil {
		return err
	}
	return s.Run()
}

// Each script of testdata has passed with packetdrill on Linux 6.18, too.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.pkt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".pkt"), func(t *testing.T) {
			if err := run(path); err != nil {
				t.Error(err)
			}
		})
	}
}

// The scripts that somebody has are a report and no test: many want what is not here.
func TestScripts_given(t *testing.T) {
	agree, differ, not := 0, 0, 0
	err := filepath.WalkDir(*scripts, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pkt" {
			return err
		}
		name := strings.TrimPrefix(path, *scripts)
		var missing *NotRunError
		switch err := run(path); {
		case err == nil:
			agree++
			t.Log("agrees ", name)
		case errors.As(err, &missing):
			not++
			t.Log("not run", name, err)
		default:
			differ++
			t.Log("differs", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d agree, %d differ, %d not run", agree, differ, not)
}
