// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"dialtone/inet"
)

const documentation = "../docs/scenario.md"

func readDocumentation(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// structKeys returns all keys that the structs of file.go have, as paths such as hosts.NAME.routes[].to.
func structKeys(typ reflect.Type, path string) []string {
	switch {
	case strings.HasPrefix(typ.Name(), "table["):
		v, _ := typ.Elem().FieldByName("v")
		return structKeys(v.Type, path+".NAME")
	case strings.HasPrefix(typ.Name(), "list["):
		return structKeys(typ.Elem(), path+"[]")
	case typ.Kind() != reflect.Struct || strings.HasPrefix(typ.Name(), "value["):
		return nil
	}
	var all []string
	for _, key := range keys(reflect.New(typ).Interface()) {
		all = append(all, path+"."+key)
	}
	for i := range typ.NumField() {
		if key, _, _ := strings.Cut(typ.Field(i).Tag.Get("key"), ","); key != "" {
			all = append(all, structKeys(typ.Field(i).Type, path+"."+key)...)
		}
	}
	return all
}

// TestEveryKeyIsDocumented compares the tables of the documentation with the structs.
func TestEveryKeyIsDocumented(t *testing.T) {
	want := structKeys(reflect.TypeFor[file](), "")
	heading := regexp.MustCompile("(?m)^## `(.*)`$")
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\|")
	text := readDocumentation(t)
	at := heading.FindAllStringSubmatchIndex(text, -1)
	var got []string
	for i, section := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		path := "." + strings.Trim(text[section[2]:section[3]], ".")
		for _, key := range row.FindAllStringSubmatch(text[section[1]:end], -1) {
			got = append(got, strings.TrimPrefix(path+"."+key[1], "."))
		}
	}
	for i := range want {
		want[i] = strings.TrimPrefix(want[i], ".")
	}
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], ".")
	}
	for _, key := range want {
		if !slices.Contains(got, key) {
			t.Errorf("%s: the key %s is missing", documentation, key)
		}
	}
	for _, key := range got {
		if !slices.Contains(want, key) {
			t.Errorf("%s: there is no key %s", documentation, key)
		}
	}
}

// TestEverySysctlIsDocumented compares the table of sysctls with what the library knows.
func TestEverySysctlIsDocumented(t *testing.T) {
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(net\\.[^`]+)` \\|").FindAllStringSubmatch(readDocumentation(t), -1) {
		got = append(got, row[1])
	}
	if want := inet.SysctlNames(); !slices.Equal(got, want) {
		t.Errorf("%s has the sysctls %v, want %v", documentation, got, want)
	}
}

// TestDocumentedFileUsesEveryKey parses the YAML of the documentation, and looks for a use of each key.
func TestDocumentedFileUsesEveryKey(t *testing.T) {
	_, rest, found := strings.Cut(readDocumentation(t), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("%s has no YAML block", documentation)
	}
	if _, err := Parse("example", []byte(example)); err != nil {
		t.Errorf("the example has mistakes:\n%v", err)
	}
	tree, err := parser.ParseBytes([]byte(example), 0)
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	useKeys(tree.Docs[0].Body, reflect.TypeFor[file](), "", used)
	// The two directions of a firewall have the same rules; one use of each key is enough.
	same := func(path string) string { return strings.Replace(path, ".firewall.input.", ".firewall.output.", 1) }
	for _, key := range structKeys(reflect.TypeFor[file](), "") {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(u string) bool { return same(u) == same(key) }) {
			t.Errorf("the example does not use %s", key)
		}
	}
}

// useKeys notes the keys of n in the form of structKeys.
func useKeys(n ast.Node, typ reflect.Type, path string, used map[string]bool) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			useKeys(item, typ.Elem(), path+"[]", used)
		}
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if strings.HasPrefix(typ.Name(), "table[") {
				v, _ := typ.Elem().FieldByName("v")
				useKeys(pair.Value, v.Type, path+".NAME", used)
				continue
			}
			key := pair.Key.(ast.ScalarNode).GetToken().Value
			used[path+"."+key] = true
			for i := range typ.NumField() {
				if tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("key"), ","); tag == key {
					useKeys(pair.Value, typ.Field(i).Type, path+"."+key, used)
				}
			}
		}
	}
}
