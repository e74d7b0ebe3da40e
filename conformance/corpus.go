// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed cases ids.txt differences.txt pages.txt
var corpus embed.FS

// Corpus reads all cases that come with the package, in the order of their files.
func Corpus() ([]*Case, error) { return Load(corpus, "cases") }

// Load reads all scripts (*.txt) under a directory.
func Load(fsys fs.FS, dir string) ([]*Case, error) {
	var out []*Case
	ids := map[string]*Case{}
	err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".txt" {
			return err
		}
		script, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		cases, err := Parse(name, string(script))
		if err != nil {
			return err
		}
		for _, c := range cases {
			if other := ids[c.ID]; other != nil {
				return fmt.Errorf("%s:%d: a second case %s, after %s:%d", c.File, c.Line, c.ID, other.File, other.Line)
			}
			ids[c.ID] = c
		}
		out = append(out, cases...)
		return nil
	})
	return out, err
}
